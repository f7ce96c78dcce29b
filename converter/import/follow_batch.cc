// Follows the batch through a graph whose source fixed it at 1: the axis of every tensor along
// which samples can stand beside each other without meeting.
#include "converter/graph/samples.h"
#include "converter/import/import.h"
#include "converter/import/repeat_constant.h"

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

}  // namespace

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
