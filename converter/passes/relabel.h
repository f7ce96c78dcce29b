// How operators look when the axes of what they read stand in another order. to_nhwc moves
// Transposes through the graph by these rules.
#pragma once

#include <optional>
#include <vector>

#include "converter/passes/permutation.h"

namespace figment::converter {

// Which inputs of the node have to be permuted for it to give a permuted output: those that are not
// constant. Empty for operators that to_nhwc does not know how to move a Transpose through.
std::vector<std::size_t> moving_inputs(const Graph& graph, const Node& node);

// Rewrites options and constants of `node` for operands (its moving inputs) permuted by
// `permutation`:
//   node'(transpose(x, permutation)) = transpose(node(x), result).
// Nothing, and an unchanged node, where there is no such rule.
std::optional<Permutation> relabel(Graph& graph, Node& node, const Permutation& permutation);

// The permutation of the operands that makes the node's output come out permuted by `permutation`;
// what relabel() answers with when asked the other way round.
std::optional<Permutation> wanted_of_operands(const Graph& graph, const Node& node,
                                              const Permutation& permutation);

// Which axes of two shapes with the same elements in the same order hold the same numbers: each
// group is as short as can be. Axes of extent 1 belong to none.
struct AxisGroup {
  std::vector<std::int32_t> before, after;
};
std::vector<AxisGroup> group_axes(const std::vector<std::int64_t>& before,
                                  const std::vector<std::int64_t>& after);

}  // namespace figment::converter
