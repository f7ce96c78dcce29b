// Stores the weights of matrix products, convolutions and recurrent layers as float16: half the
// file; the runtime widens them again. Biases and everything else stay as they are.
#include <cmath>
#include <cstring>
#include <sstream>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "runtime/math/half.h"

namespace figment::converter {
namespace {

// Which inputs of a node may be float16 constants.
std::vector<std::size_t> weight_inputs(const Node& node) {
  switch (node.kind()) {
    case format::OperatorOptions::Dense:
    case format::OperatorOptions::Conv2D:
    case format::OperatorOptions::ConvTranspose2D:
      return {1};
    case format::OperatorOptions::MatMul:
      return {0, 1};
    case format::OperatorOptions::Recurrent:
      return {1, 2};
    default:
      return {};
  }
}

struct Narrowed {
  std::vector<std::byte> data;
  double largest_error = 0;
  bool fits = true;  // every finite value stays finite
};

Narrowed narrow(const GraphTensor& tensor) {
  Narrowed result;
  const std::size_t count = static_cast<std::size_t>(tensor.shape.elements());
  result.data.resize(count * sizeof(std::uint16_t));
  for (std::size_t i = 0; i < count; ++i) {
    const float value = tensor.floats()[i];
    const std::uint16_t half = math::narrow_to_half(value);
    const float widened = math::widen_half(half);
    std::memcpy(result.data.data() + i * sizeof half, &half, sizeof half);
    if (std::isfinite(value) && !std::isfinite(widened)) result.fits = false;
    const double error = std::fabs(static_cast<double>(widened) - static_cast<double>(value));
    if (error > result.largest_error) result.largest_error = error;
  }
  return result;
}

}  // namespace

PassResult narrow_weights(Graph& graph) {
  PassResult result;
  int kept = 0;
  double largest_error = 0;
  std::map<TensorId, TensorId> narrowed;  // a constant that others read too stays beside it
  for (Node& node : graph.nodes) {
    for (const std::size_t index : weight_inputs(node)) {
      const TensorId id = node.inputs[index];
      if (id == kAbsent || !graph.tensor(id).constant()) continue;
      if (graph.tensor(id).type != DataType::kFloat32) continue;
      if (!narrowed.contains(id)) {
        Narrowed half = narrow(graph.tensor(id));
        if (!half.fits) {
          ++kept;
          narrowed[id] = id;
          continue;
        }
        if (half.largest_error > largest_error) largest_error = half.largest_error;
        const std::string name = graph.tensor(id).name;
        const Shape shape = graph.tensor(id).shape;
        narrowed[id] = graph.add_constant(name, DataType::kFloat16, shape, std::move(half.data));
        ++result.changes;
      }
      node.inputs[index] = narrowed[id];
    }
  }
  sweep(graph);
  std::ostringstream sentence;
  sentence << "stored " << counted(result.changes, "weight tensor")
           << " as float16; the largest rounding error is " << largest_error;
  if (kept > 0)
    sentence << "; " << counted(kept, "tensor") << " with values beyond 65504 stayed float32";
  result.sentence = sentence.str();
  return result;
}

}  // namespace figment::converter
