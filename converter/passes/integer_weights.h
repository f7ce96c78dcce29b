// The constant operands of integer products: weights, and what each channel adds and multiplies by.
#pragma once

#include "converter/passes/int8_range.h"

namespace figment::converter {

// Whether the weights of `node` (Dense, Conv2D, ConvTranspose2D) and its bias are constants that
// integers can stand for, and no sum of products is too long.
bool has_integer_weights(const Graph& graph, const Node& node);

// The operands `weights` (int8) and `channels` (int32 [outputs, 3]) of the integer product that
// does what `node` does from x to y.
struct IntegerWeights {
  TensorId weights, channels;
};
IntegerWeights add_integer_weights(Graph& graph, const Node& node, const Int8Range& x,
                                   const Int8Range& y);

// The options of the integer operator that does what a product does.
format::OperatorOptionsUnion integer_options(const Node& node);

// Products that one sum of a product with these weights adds up at most.
std::int64_t depth_of(const Node& node, const Shape& weights);

// Whether 32 bits hold every sum of `depth` products of int8 and `bias`.
bool fits_in_sum(std::int64_t depth, std::int64_t bias);

}  // namespace figment::converter
