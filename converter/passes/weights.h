// The weights of products: what fold_batch_normalization scales, and what narrow_weights and
// quantize_weights store smaller.
#pragma once

#include <functional>
#include <optional>

#include "converter/graph/graph.h"

namespace figment::converter {

// Which inputs of a node may be float16 constants in the file.
std::vector<std::size_t> weight_inputs(const Node& node);

// How many output channels weights have, or a normalization's scale, and to which of them element
// `index` belongs. A recurrent layer's are the rows of its matrices.
std::size_t channel_count(const Node& node, const Shape& weights);
std::size_t channel_of(const Node& node, const Shape& weights, std::size_t index);

struct StoredWeights {
  int stored = 0;
  int kept = 0;  // float32 still
};

// Stores every constant float32 among the weights as `store` makes it, once for each kind of
// operator that reads it; none: it stays. A constant that others read too stays beside it.
StoredWeights store_weights(
    Graph& graph,
    const std::function<std::optional<GraphTensor>(const Node&, const GraphTensor&)>& store);

}  // namespace figment::converter
