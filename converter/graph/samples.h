// Whether the samples of a batch meet in a graph that has its batch axes.
#pragma once

#include "converter/graph/graph.h"

namespace figment::converter {

// The product of the extents before the batch axis; 1 where there is none.
std::int64_t numbers_before_samples(const GraphTensor& tensor);

// True when the node treats positions along `axis` of its input `index` alike and apart from each
// other, as far as its output's shape does not tell.
bool keeps_apart(const Graph& graph, const Node& node, std::size_t index, int axis);

// True when every operator of a graph that has its batch axes treats the samples apart.
bool keeps_samples_apart(const Graph& graph);

// The most bytes that one operator reads and writes for one sample, at least 1; 0 where samples
// meet, or where inputs, outputs or noise do not hold one sample after another, so that a batch
// cannot be run in parts.
std::uint64_t widest_sample(const Graph& graph);

}  // namespace figment::converter
