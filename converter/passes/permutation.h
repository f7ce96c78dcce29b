// Permutations of axes: axis i of the result of a Transpose is axis permutation[i] of what it
// reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

using Permutation = std::vector<std::int32_t>;

bool is_identity(const Permutation& permutation);

// The one that undoes it.
Permutation inverse(const Permutation& permutation);

// A Transpose by `first` and then one by `second`, in one.
Permutation compose(const Permutation& first, const Permutation& second);

// N,C,...  ->  N,...,C : what stands before an operator that wants its channels last.
Permutation channels_to_last(int rank);

// True when a Transpose by it of a tensor with these extents leaves every number where it is: axes
// of more than one element keep their order.
bool moves_nothing(const Permutation& permutation, const std::vector<std::int64_t>& extents);

// The tensor after a Transpose: shape and batch axis; not the values.
GraphTensor permuted(const GraphTensor& tensor, const Permutation& permutation);

// A constant of any type with its axes in another order.
TensorId permute_constant(Graph& graph, TensorId id, const Permutation& permutation);

}  // namespace figment::converter
