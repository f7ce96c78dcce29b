// Puts the features (the last axis) of a tensor in another order by changing the weights around it,
// so that a Transpose next to a Dense costs nothing.
#pragma once

#include <vector>

#include "converter/passes/edit.h"
#include "converter/passes/permutation.h"

namespace figment::converter {

// Feature i of the new order is feature order[i] of the old.
using FeatureOrder = std::vector<std::int32_t>;

// The first of the trailing axes of `many` that together are the last axis of `one`, where a
// Reshape turns the one shape into the other; -1 when they are not.
int first_of_features(const GraphTensor& many, const GraphTensor& one);

// The order in which a Transpose by `permutation` of a tensor of `shape` writes the elements of the
// axes from `first` on. Nothing when it mixes them with the axes before.
std::optional<FeatureOrder> feature_order(const Shape& shape, const Permutation& permutation,
                                          int first);

// Makes everybody who reads `id` expect its features in another order: permutes the columns of
// every Dense and the rows of every MatMul that is reached through elementwise operators with one
// value per feature, and those values. False, and nothing changed, when some reader cannot be told.
bool permute_for_readers(Graph& graph, const Links& links, TensorId id, const FeatureOrder& order);

// Makes the writer of `id` write its features in another order, which its one reader expects:
// the same towards the Dense or MatMul before. False, and nothing changed, when it cannot.
bool permute_at_writer(Graph& graph, const Links& links, TensorId id, const FeatureOrder& order);

}  // namespace figment::converter
