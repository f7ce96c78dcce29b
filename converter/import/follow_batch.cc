// Follows the batch through a graph whose source fixed it at 1: the axis of every tensor along
// which samples can stand beside each other without meeting.
#include <algorithm>

#include "converter/import/import.h"
#include "converter/import/repeat_constant.h"
#include "runtime/ops/recurrent_cells.h"

namespace figment::converter {
namespace {

using format::OperatorOptions;

constexpr int kProbeBatch = 3;

// Where the samples stand in a tensor: along `axis`, whose positions run over `outer` things, in
// each over the samples, and in each of those over the rest. An input has outer = 1.
struct Place {
  int axis = -1;
  std::int64_t outer = 1;
  bool operator==(const Place&) const = default;
};

// True when the node treats positions along `axis` of its input `index` alike and apart from each
// other, as far as its output's shape does not tell.
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
    default:
      return true;
  }
}

// A Reshape moves no number, so the samples keep their place in memory: the number of elements
// before them stays.
Place place_in_reshape(const Shape& from, const Place& place, const Shape& to) {
  std::int64_t before = place.outer;
  for (int axis = 0; axis < place.axis; ++axis) before *= from[axis];
  // Where several axes would do: one of extent 1 above all, which is what exporters leave for the
  // batch; the last one, which holds channels as a rule, at the end.
  Place best;
  int best_rank = 4;
  std::int64_t prefix = 1;
  for (int axis = 0; axis < to.rank && prefix <= before; prefix *= to[axis++]) {
    if (before % prefix != 0 || to[axis] % (before / prefix) != 0) continue;
    const bool starts = before == prefix;
    const bool last = axis == to.rank - 1 && axis > 0;
    const int rank = starts && to[axis] == 1 ? 0 : starts && !last ? 1 : !last ? 2 : 3;
    if (rank < best_rank) {
      best = {axis, before / prefix};
      best_rank = rank;
    }
  }
  return best;
}

// The axis in which the output at the probe batch differs from the one at batch 1; -1 when there is
// none.
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

// The samples' place in the output of the node at `index`, when its inputs have one; axis -1 when
// it has none.
Place place_in_output(Graph& graph, std::size_t& index, const Place& place) {
  const Node& node = graph.nodes[index];
  const Shape& declared = graph.tensor(node.output).shape;
  switch (node.kind()) {
    case OperatorOptions::Reshape:
      return place_in_reshape(graph.tensor(node.inputs[0]).shape, place, declared);
    case OperatorOptions::Tile:
      if (declared[place.axis] != graph.tensor(node.inputs[0]).shape[place.axis]) return {};
      return place;
    case OperatorOptions::Concat:
      // A constant beside the samples is there for each of them.
      for (std::size_t input = 0; place.outer == 1 && input < graph.nodes[index].inputs.size();
           ++input)
        if (graph.tensor(graph.nodes[index].inputs[input]).constant())
          repeat_constant(graph, index, input, place.axis);
      break;
    default:
      break;
  }
  return {inferred_axis(graph, graph.nodes[index]), place.outer};
}

bool follow(Graph& graph, int least_rank) {
  std::vector<Place> places(graph.tensors.size());
  const auto set_place = [&](TensorId id, const Place& place) {
    places.resize(graph.tensors.size());
    places[static_cast<std::size_t>(id)] = place;
    graph.tensor(id).batch_axis = place.axis;
  };
  bool some = false;
  for (const GraphPort& port : graph.inputs) {
    const Shape& shape = graph.tensor(port.tensor).shape;
    if (shape.rank < least_rank || shape[0] != 1) continue;
    set_place(port.tensor, {0, 1});
    some = true;
  }
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const Node& node = graph.nodes[index];
    if (node.kind() == OperatorOptions::RandomNormal) {
      // Noise of its own for every sample.
      const Shape& shape = graph.tensor(node.output).shape;
      if (shape.rank > 0 && shape[0] == 1) set_place(node.output, {0, 1});
      continue;
    }
    Place place;
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      if (node.inputs[input] == kAbsent) continue;
      const Place& own = places[static_cast<std::size_t>(node.inputs[input])];
      if (own.axis < 0) continue;
      if (!keeps_apart(graph, node, input, own.axis) ||
          (place.axis >= 0 && own.outer != place.outer))
        return false;
      if (place.axis < 0) place = own;
    }
    if (place.axis < 0) continue;
    const Place result = place_in_output(graph, index, place);
    if (result.axis < 0) return false;
    set_place(graph.nodes[index].output, result);
  }
  for (const GraphPort& port : graph.outputs)
    if (places[static_cast<std::size_t>(port.tensor)].outer != 1) return false;
  return some && holds_at_batch(graph, kProbeBatch);
}

// Numbers before the samples' axis.
std::int64_t numbers_before(const GraphTensor& tensor) {
  std::int64_t before = 1;
  for (int axis = 0; axis < tensor.batch_axis; ++axis) before *= tensor.shape[axis];
  return before;
}

}  // namespace

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
          numbers_before(input) != numbers_before(output))
        return false;
      if (node.kind() == OperatorOptions::Tile &&
          (output.batch_axis != input.batch_axis ||
           output.shape[output.batch_axis] != input.shape[input.batch_axis]))
        return false;
    }
  }
  return true;
}

bool follow_batch(Graph& graph) {
  // First all inputs; then those that are more than a number (a strength, a time step), which
  // samples share.
  for (const int least_rank : {1, 2}) {
    Graph followed = graph;
    try {
      if (!follow(followed, least_rank)) continue;
    } catch (const ConvertError&) {
      continue;  // an operator's rule refuses the shapes of a batch
    }
    graph = std::move(followed);
    graph.any_batch = true;
    return true;
  }
  return false;
}

}  // namespace figment::converter
