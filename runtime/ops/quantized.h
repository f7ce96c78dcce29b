// What the rules of integer operators share: the checks of int8 operands and of the integers that
// stand for scales.
#pragma once

#include "runtime/math/integer_product.h"
#include "runtime/ops/checks.h"

namespace figment::ops {

// The operands of QuantizedDense, QuantizedConv2D and QuantizedConvTranspose2D.
enum QuantizedOperand { kX, kWeights, kChannels, kRange };

inline const std::int8_t* int8_of(const Tensor& tensor) {
  return static_cast<const std::int8_t*>(tensor.data);
}

// Weights, channels and range of a product over `depth` numbers with `outputs` channels: that no
// sum can leave 32 bits. The rank of the weights has been checked.
Status require_quantized_product(const Operation& operation, std::int64_t depth,
                                 std::int64_t outputs);

// A constant of int32 with `count` numbers.
Status require_integers(const Operation& operation, std::size_t index, std::int64_t count);

// The scale and zero point of Quantize and Dequantize: the scale is a positive, normal number whose
// reciprocal is finite.
struct Int8Numbers {
  float scale;
  std::int32_t zero_point;

  explicit Int8Numbers(const Operation& operation)
      : scale(*operation.in(1).floats()), zero_point(*operation.in(2).integers()) {}
};
Status require_int8_numbers(const Operation& operation);

// A zero point and limits of int8.
Status require_zero_point(std::int32_t zero_point);
Status require_limits(std::int32_t low, std::int32_t high);

// The product of an operation, to be given its rows; columns from `first_output` on.
math::IntegerProduct product_of(const Operation& operation, std::int64_t first_output);

}  // namespace figment::ops
