// How operators look when the axes of what they read stand in another order.
#include "converter/passes/relabel.h"

#include <algorithm>
#include <numeric>

#include "converter/passes/edit.h"

namespace figment::converter {
namespace {

using format::OperatorOptions;

// Whether the last `count` axes stay where they are.
bool keeps_last(const Permutation& permutation, int count) {
  const int rank = static_cast<int>(permutation.size());
  for (int axis = rank - count; axis < rank; ++axis)
    if (axis < 0 || permutation[axis] != axis) return false;
  return true;
}

std::vector<std::int32_t> reordered(const std::vector<std::int32_t>& values,
                                    const Permutation& permutation) {
  std::vector<std::int32_t> result;
  for (const std::int32_t axis : permutation) result.push_back(values[axis]);
  return result;
}

// A constant operand that broadcasts against a tensor of as many axes as the permutation has.
TensorId relabel_operand(Graph& graph, TensorId id, const Permutation& permutation) {
  const Shape shape = graph.tensor(id).shape;
  if (shape.elements() == 1) return id;
  const int rank = static_cast<int>(permutation.size());
  Shape full;
  full.rank = rank;
  for (int axis = 0; axis < rank; ++axis) {
    const int own = axis - (rank - shape.rank);
    full[axis] = own < 0 ? 1 : shape[own];
  }
  const std::string name = graph.tensor(id).name;
  const DataType type = graph.tensor(id).type;
  std::vector<std::byte> values = *graph.tensor(id).data;
  return permute_constant(graph, graph.add_constant(name, type, full, std::move(values)),
                          permutation);
}

void relabel_constants(Graph& graph, Node& node, const Permutation& permutation) {
  for (TensorId& input : node.inputs)
    if (input != kAbsent && graph.tensor(input).constant())
      input = relabel_operand(graph, input, permutation);
}

Permutation relabel_reduce(format::ReduceT& reduce, const Permutation& permutation) {
  const int rank = static_cast<int>(permutation.size());
  std::vector<bool> reduced(permutation.size(), false);
  for (std::int32_t& axis : reduce.axes) {
    axis = axis < 0 ? axis + rank : axis;
    reduced[axis] = true;
  }
  Permutation result = permutation;
  if (!reduce.keep_axes) {
    result.clear();
    for (const std::int32_t axis : permutation)
      if (!reduced[axis])
        result.push_back(
            static_cast<std::int32_t>(std::count(reduced.begin(), reduced.begin() + axis, false)));
  }
  const Permutation where = inverse(permutation);
  for (std::int32_t& axis : reduce.axes) axis = where[axis];
  std::sort(reduce.axes.begin(), reduce.axes.end());
  return result;
}

// What is normalized together may come in any order, and scale and bias in the same.
std::optional<Permutation> relabel_layer_normalization(Graph& graph, Node& node,
                                                       const Permutation& permutation) {
  const std::int32_t first =
      static_cast<std::int32_t>(permutation.size()) - node.as<format::LayerNormalizationT>().axes;
  Permutation inner;
  for (std::int32_t axis = 0; axis < static_cast<std::int32_t>(permutation.size()); ++axis) {
    if (axis < first && permutation[axis] != axis) return std::nullopt;
    if (axis >= first) inner.push_back(permutation[axis] - first);
  }
  const auto is_free = [&](TensorId id) { return id == kAbsent || graph.tensor(id).constant(); };
  if (!std::all_of(node.inputs.begin() + 1, node.inputs.end(), is_free)) return std::nullopt;
  for (std::size_t index = 1; index < node.inputs.size(); ++index)
    if (node.inputs[index] != kAbsent)
      node.inputs[index] = permute_constant(graph, node.inputs[index], inner);
  return permutation;
}

// The order of groups in which `permutation` puts the axes of one side, axes of extent 1 left out;
// nothing when it tears a group apart.
std::optional<std::vector<std::size_t>> order_of_groups(const std::vector<AxisGroup>& groups,
                                                        std::vector<std::int32_t> AxisGroup::*side,
                                                        const Permutation& permutation,
                                                        const std::vector<std::int64_t>& extents) {
  std::vector<std::int32_t> moved;
  for (const std::int32_t axis : permutation)
    if (extents[axis] != 1) moved.push_back(axis);
  std::vector<std::size_t> order;
  for (std::size_t at = 0; at < moved.size();) {
    const auto begins = [&](const AxisGroup& group) { return (group.*side).front() == moved[at]; };
    const auto found = std::find_if(groups.begin(), groups.end(), begins);
    if (found == groups.end()) return std::nullopt;
    for (const std::int32_t axis : (*found).*side)
      if (at >= moved.size() || moved[at++] != axis) return std::nullopt;
    order.push_back(static_cast<std::size_t>(found - groups.begin()));
  }
  return order;
}

// The axes of one side with the groups in another order. An axis of extent 1 goes with the axis
// before it.
Permutation in_order(const std::vector<AxisGroup>& groups,
                     std::vector<std::int32_t> AxisGroup::*side,
                     const std::vector<std::size_t>& order,
                     const std::vector<std::int64_t>& extents) {
  const std::int32_t rank = static_cast<std::int32_t>(extents.size());
  Permutation result;
  const auto take_units = [&](std::int32_t axis) {
    for (; axis < rank && extents[axis] == 1; ++axis) result.push_back(axis);
  };
  take_units(0);
  for (const std::size_t index : order)
    for (const std::int32_t axis : groups[index].*side) {
      result.push_back(axis);
      take_units(axis + 1);
    }
  return result;
}

std::optional<Permutation> carry_over(const Graph& graph, const Node& reshape,
                                      const Permutation& permutation, bool forward) {
  const auto before = symbolic_extents(graph.tensor(reshape.inputs[0]));
  const auto after = symbolic_extents(graph.tensor(reshape.output));
  const std::vector<AxisGroup> groups = group_axes(before, after);
  const auto from = forward ? &AxisGroup::before : &AxisGroup::after;
  const auto to = forward ? &AxisGroup::after : &AxisGroup::before;
  const auto order = order_of_groups(groups, from, permutation, forward ? before : after);
  if (!order) return std::nullopt;
  return in_order(groups, to, *order, forward ? after : before);
}

}  // namespace

std::vector<AxisGroup> group_axes(const std::vector<std::int64_t>& before,
                                  const std::vector<std::int64_t>& after) {
  std::vector<AxisGroup> groups;
  std::size_t i = 0, j = 0;
  // Takes the next axis of more than one element; 0 when there is none.
  const auto take = [](const std::vector<std::int64_t>& extents, std::size_t& at,
                       std::vector<std::int32_t>& axes) -> std::int64_t {
    while (at < extents.size() && extents[at] == 1) ++at;
    if (at == extents.size()) return 0;
    axes.push_back(static_cast<std::int32_t>(at));
    return extents[at++];
  };
  while (true) {
    AxisGroup group;
    std::int64_t left = take(before, i, group.before);
    std::int64_t right = take(after, j, group.after);
    if (left == 0 || right == 0) return groups;
    while (left != right) {
      const std::int64_t factor =
          left < right ? take(before, i, group.before) : take(after, j, group.after);
      if (factor == 0) return groups;
      (left < right ? left : right) *= factor;
    }
    groups.push_back(std::move(group));
  }
}

std::vector<std::size_t> moving_inputs(const Graph& graph, const Node& node) {
  std::vector<std::size_t> result;
  switch (node.kind()) {
    case OperatorOptions::Binary:
    case OperatorOptions::Concat:
      for (std::size_t index = 0; index < node.inputs.size(); ++index)
        if (!graph.tensor(node.inputs[index]).constant()) result.push_back(index);
      return result;
    case OperatorOptions::Unary:
    case OperatorOptions::Cast:
    case OperatorOptions::Dense:
    case OperatorOptions::BatchNormalization:
    case OperatorOptions::LayerNormalization:
    case OperatorOptions::GroupNormalization:
    case OperatorOptions::Softmax:
    case OperatorOptions::Reduce:
    case OperatorOptions::Reshape:
    case OperatorOptions::Slice:
    case OperatorOptions::Pad:
    case OperatorOptions::Tile:
      return {0};
    default:
      return {};
  }
}

std::optional<Permutation> relabel(Graph& graph, Node& node, const Permutation& permutation) {
  const int rank = static_cast<int>(permutation.size());
  const Permutation where = inverse(permutation);
  const auto moved = [&](std::int32_t axis) { return where[axis < 0 ? axis + rank : axis]; };
  switch (node.kind()) {
    case OperatorOptions::Unary:
    case OperatorOptions::Cast:
    case OperatorOptions::Tile:
      return permutation;
    case OperatorOptions::Binary:
      if (graph.tensor(node.output).shape.rank != rank) return std::nullopt;
      relabel_constants(graph, node, permutation);
      return permutation;
    case OperatorOptions::Concat:
      relabel_constants(graph, node, permutation);
      node.as<format::ConcatT>().axis = moved(node.as<format::ConcatT>().axis);
      return permutation;
    case OperatorOptions::Softmax:
      node.as<format::SoftmaxT>().axis = moved(node.as<format::SoftmaxT>().axis);
      return permutation;
    case OperatorOptions::Reduce:
      if (node.as<format::ReduceT>().axes.empty()) return std::nullopt;
      return relabel_reduce(node.as<format::ReduceT>(), permutation);
    case OperatorOptions::Slice: {
      format::SliceT& slice = node.as<format::SliceT>();
      for (auto* values : {&slice.starts, &slice.sizes, &slice.steps})
        *values = reordered(*values, permutation);
      return permutation;
    }
    case OperatorOptions::Pad: {
      format::PadT& pad = node.as<format::PadT>();
      for (auto* values : {&pad.before, &pad.after}) *values = reordered(*values, permutation);
      return permutation;
    }
    case OperatorOptions::Dense:
    case OperatorOptions::BatchNormalization:
      if (!keeps_last(permutation, 1)) return std::nullopt;
      return permutation;
    case OperatorOptions::LayerNormalization:
      return relabel_layer_normalization(graph, node, permutation);
    case OperatorOptions::GroupNormalization:
      if (!keeps_last(permutation, 1) || permutation[0] != 0) return std::nullopt;
      return permutation;
    case OperatorOptions::Reshape:
      return carry_over(graph, node, permutation, true);
    default:
      return std::nullopt;
  }
}

std::optional<Permutation> wanted_of_operands(const Graph& graph, const Node& node,
                                              const Permutation& permutation) {
  if (is_kind<format::ReshapeT>(node)) return carry_over(graph, node, permutation, false);
  // A reduction that drops axes does not say where they should have been.
  if (is_kind<format::ReduceT>(node) && !node.as<format::ReduceT>().keep_axes) return std::nullopt;
  return permutation;
}

}  // namespace figment::converter
