// What each operator does with the samples of a batch.
#include "converter/graph/samples.h"

#include <algorithm>

#include "runtime/model_view.h"
#include "runtime/ops/recurrent_cells.h"

namespace figment::converter {

using format::OperatorOptions;

std::int64_t numbers_before_samples(const GraphTensor& tensor) {
  std::int64_t before = 1;
  for (int axis = 0; axis < tensor.batch_axis; ++axis) before *= tensor.shape[axis];
  return before;
}

bool keeps_apart(const Graph& graph, const Node& node, std::size_t index, int axis) {
  const int rank = graph.tensor(node.inputs[index]).shape.rank;
  switch (node.kind()) {
    case OperatorOptions::Conv2D:
    case OperatorOptions::ConvTranspose2D:
    case OperatorOptions::GroupNormalization:
    case OperatorOptions::Resize:
    case OperatorOptions::DepthToSpace:
    case OperatorOptions::SpaceToDepth:
    case OperatorOptions::Pool2D:
    case OperatorOptions::QuantizedConv2D:
    case OperatorOptions::QuantizedConvTranspose2D:
      return index == 0 && axis == 0;
    case OperatorOptions::Dense:
    case OperatorOptions::QuantizedDense:
    case OperatorOptions::BatchNormalization:
      return index == 0 && axis < rank - 1;
    case OperatorOptions::LayerNormalization:
      return index == 0 && axis < rank - node.as<format::LayerNormalizationT>().axes;
    case OperatorOptions::Softmax:
      return axis != node.as<format::SoftmaxT>().axis;
    case OperatorOptions::LogSoftmax:
      return axis != node.as<format::LogSoftmaxT>().axis;
    case OperatorOptions::ArgReduce:
      return axis != node.as<format::ArgReduceT>().axis;
    case OperatorOptions::CumulativeSum:
      return axis != node.as<format::CumulativeSumT>().axis;
    case OperatorOptions::GatherElements:
      return axis != node.as<format::GatherElementsT>().axis;
    case OperatorOptions::Concat:
      return axis != node.as<format::ConcatT>().axis;
    case OperatorOptions::Gather:
      return index == 1 || axis != node.as<format::GatherT>().axis;
    case OperatorOptions::Reduce: {
      const std::vector<int>& axes = node.as<format::ReduceT>().axes;
      return !axes.empty() && std::ranges::find(axes, axis) == axes.end();
    }
    case OperatorOptions::Slice: {
      const auto& slice = node.as<format::SliceT>();
      const auto at = static_cast<std::size_t>(axis);
      return slice.starts[at] == 0 && slice.sizes[at] == -1 && slice.steps[at] == 1;
    }
    case OperatorOptions::Recurrent:
      // x and the states [.., batch, ..], the lengths [batch]; a weight is everybody's.
      if (index == ops::kRecurrentLengths) return axis == 0;
      return axis == 1 && (index == ops::kRecurrentX || index == ops::kRecurrentHidden ||
                           index == ops::kRecurrentCell);
    case OperatorOptions::Pad: {
      const auto& pad = node.as<format::PadT>();
      const auto at = static_cast<std::size_t>(axis);
      return pad.before[at] == 0 && pad.after[at] == 0;
    }
    case OperatorOptions::Attention:
      return axis < rank - 2;
    default:
      return true;
  }
}

bool keeps_samples_apart(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    const GraphTensor& output = graph.tensor(node.output);
    // Noise that all samples would share.
    if (node.kind() == OperatorOptions::RandomNormal && output.batch_axis < 0) return false;
    for (std::size_t index = 0; index < node.inputs.size(); ++index) {
      if (node.inputs[index] == kAbsent) continue;
      const GraphTensor& input = graph.tensor(node.inputs[index]);
      if (input.batch_axis < 0) continue;
      if (output.batch_axis < 0 || !keeps_apart(graph, node, index, input.batch_axis)) return false;
      if (node.kind() == OperatorOptions::Reshape &&
          numbers_before_samples(input) != numbers_before_samples(output))
        return false;
      if (node.kind() == OperatorOptions::Tile &&
          (output.batch_axis != input.batch_axis ||
           output.shape[output.batch_axis] != input.shape[input.batch_axis]))
        return false;
    }
  }
  return true;
}

std::uint64_t widest_sample(const Graph& graph) {
  const auto first = [&](TensorId tensor) { return graph.tensor(tensor).batch_axis <= 0; };
  const bool apart = graph.any_batch && keeps_samples_apart(graph) &&
                     std::ranges::all_of(graph.inputs, first, &GraphPort::tensor) &&
                     std::ranges::all_of(graph.outputs, first, &GraphPort::tensor) &&
                     std::ranges::all_of(graph.nodes, [&](const Node& node) {
                       return node.kind() != OperatorOptions::RandomNormal || first(node.output);
                     });
  if (!apart) return 0;
  const auto bytes = [&](TensorId id) -> std::uint64_t {
    if (id == kAbsent || graph.tensor(id).batch_axis < 0) return 0;
    const GraphTensor& tensor = graph.tensor(id);
    return static_cast<std::uint64_t>(tensor.shape.elements()) * element_bytes(tensor.type);
  };
  std::uint64_t widest = 1;
  for (const Node& node : graph.nodes) {
    std::uint64_t sum = bytes(node.output);
    for (const TensorId input : node.inputs) sum += bytes(input);
    widest = std::max(widest, sum);
  }
  return widest;
}

}  // namespace figment::converter
