// Follows the batch through a graph whose source fixed it at 1: the axis of every tensor along which samples can
// stand beside each other without meeting.
#include <algorithm>

#include "converter/import/import.h"

namespace figment::converter {
namespace {

using format::OperatorOptions;

constexpr int kProbeBatch = 3;

int rank_of(const Graph& graph, TensorId id) { return graph.tensor(id).shape.rank; }

// True when the node treats positions along `axis` of its input `index` alike and apart from each other, as far as
// its output's shape does not tell.
bool keeps_apart(const Graph& graph, const Node& node, std::size_t index, int axis) {
  const int rank = rank_of(graph, node.inputs[index]);
  switch (node.kind()) {
    case OperatorOptions::Conv2D:
    case OperatorOptions::ConvTranspose2D:
    case OperatorOptions::GroupNormalization:
    case OperatorOptions::Resize:
    case OperatorOptions::DepthToSpace:
    case OperatorOptions::SpaceToDepth:
    case OperatorOptions::Pool2D:
      return index == 0 && axis == 0;
    case OperatorOptions::Dense:
    case OperatorOptions::BatchNormalization:
      return index == 0 && axis < rank - 1;
    case OperatorOptions::LayerNormalization:
      return index == 0 && axis < rank - node.as<format::LayerNormalizationT>().axes;
    case OperatorOptions::Softmax:
      return axis != node.as<format::SoftmaxT>().axis;
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
    case OperatorOptions::Pad: {
      const auto& pad = node.as<format::PadT>();
      const auto at = static_cast<std::size_t>(axis);
      return pad.before[at] == 0 && pad.after[at] == 0;
    }
    default:
      return true;
  }
}

// The axis of a declared shape with as many elements before it as the batch axis of input 0: numbers keep their
// place in memory, so the samples stay whole.
int declared_axis(const Graph& graph, const Node& node) {
  const Shape& declared = graph.tensor(node.output).shape;
  if (node.kind() == OperatorOptions::RandomNormal) return declared.rank > 0 && declared[0] == 1 ? 0 : -1;
  const GraphTensor& input = graph.tensor(node.inputs[0]);
  if (node.kind() == OperatorOptions::Tile)
    return declared[input.batch_axis] == input.shape[input.batch_axis] ? input.batch_axis : -1;
  std::int64_t before = 1, product = 1;
  for (int axis = 0; axis < input.batch_axis; ++axis) before *= input.shape[axis];
  for (int axis = 0; axis < declared.rank; ++axis) {
    if (product == before) return axis;
    product *= declared[axis];
  }
  return -1;
}

// The axis in which the output at the probe batch differs from the one at batch 1; -1 when there is none.
int inferred_axis(const Graph& graph, const Node& node) {
  Node probe = node;
  probe.output = kAbsent;
  const Shape many = infer(graph, probe, kProbeBatch).shape;
  const Shape& one = graph.tensor(node.output).shape;
  int found = -1;
  for (int axis = 0; axis < one.rank && many.rank == one.rank; ++axis) {
    if (one[axis] == many[axis]) continue;
    if (found >= 0 || many[axis] != one[axis] * kProbeBatch) return -1;
    found = axis;
  }
  return found;
}

bool follow(Graph& graph, int least_rank) {
  bool some = false;
  for (const GraphPort& port : graph.inputs) {
    GraphTensor& input = graph.tensor(port.tensor);
    if (input.shape.rank < least_rank || input.shape[0] != 1) continue;
    input.batch_axis = 0;
    some = true;
  }
  for (const Node& node : graph.nodes) {
    bool batched = node.kind() == OperatorOptions::RandomNormal;
    for (std::size_t index = 0; index < node.inputs.size(); ++index) {
      if (node.inputs[index] == kAbsent) continue;
      const int axis = graph.tensor(node.inputs[index]).batch_axis;
      if (axis < 0) continue;
      if (!keeps_apart(graph, node, index, axis)) return false;
      batched = true;
    }
    if (!batched) continue;
    const bool declared = node.kind() == OperatorOptions::Reshape || node.kind() == OperatorOptions::Tile ||
                          node.kind() == OperatorOptions::RandomNormal;
    const int axis = declared ? declared_axis(graph, node) : inferred_axis(graph, node);
    if (axis < 0 && node.kind() != OperatorOptions::RandomNormal) return false;
    graph.tensor(node.output).batch_axis = axis;
  }
  return some && holds_at_batch(graph, kProbeBatch);
}

}  // namespace

bool follow_batch(Graph& graph) {
  // First all inputs; then those that are more than a number (a strength, a time step), which samples share.
  for (const int least_rank : {1, 2}) {
    bool followed = false;
    try {
      followed = follow(graph, least_rank);
    } catch (const ConvertError&) {
      // An operator's rule refuses the shapes of a batch.
    }
    graph.any_batch = followed;
    if (followed) return true;
    for (GraphTensor& tensor : graph.tensors) tensor.batch_axis = -1;
  }
  return false;
}

}  // namespace figment::converter
