// What Softmax and its relatives share: the axis that their meaning changed about.
#pragma once

#include "converter/import/onnx_node.h"

namespace figment::converter {

// Sets the node's output to emit(x, axis), of x's shape: from opset 13 along one axis; before, over
// everything from `axis` on as if it were one axis.
template <typename Emit>
void along_axis(OnnxNode& node, Emit&& emit) {
  const TensorId x = node.input(0);
  const int rank = node.rank(x);
  const int axis = node.checked_axis(node.integer("axis", node.opset() < 13 ? 1 : -1), rank);
  if (node.opset() >= 13 || axis == rank - 1) return node.set_output(0, emit(x, axis));
  const Shape shape = node.shape(x);
  std::int64_t before = 1;
  std::int64_t after = 1;
  for (int index = 0; index < rank; ++index) (index < axis ? before : after) *= shape[index];
  const TensorId flat = node.reshape_to(x, {before, after});
  node.set_output(0, node.reshape(emit(flat, 1), shape));
}

}  // namespace figment::converter
