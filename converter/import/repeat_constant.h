// A constant that every sample of a batch has for itself.
#pragma once

#include "converter/graph/graph.h"

namespace figment::converter {

// Puts a Tile before the node at `index` that repeats its constant input `input` along `axis` as
// often as the batch says. `index` moves on, so that it still names the node.
void repeat_constant(Graph& graph, std::size_t& index, std::size_t input, int axis);

}  // namespace figment::converter
