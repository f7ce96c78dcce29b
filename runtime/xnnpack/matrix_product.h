// The matrix product with constant weights that dense layers and transposed convolutions share.
#pragma once

#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {

// y [rows, outputs] = x [rows, inputs] * weights^T + bias.
struct MatrixProduct {
  const Tensor& weights;  // outputs * inputs numbers, float32 or float16
  std::size_t outputs;
  std::size_t inputs;
};

// Creates XNNPACK's fully-connected operator, which packs the weights into the arena. `bias`:
// `outputs` floats, or null.
inline Status create_matrix_product(const MatrixProduct& product, const float* bias,
                                    const Limits& limits, Arena& arena, xnn_operator_t& result) {
  const float* weights = widen(product.weights, arena);
  if (weights == nullptr) return backend_error({"the arena is full"});
  const xnn_status status = xnn_create_fully_connected_nc_f32(
      product.inputs, product.outputs, product.inputs, product.outputs, weights, bias, limits.low,
      limits.high,
      /*flags=*/0, /*code_cache=*/nullptr, /*weights_cache=*/nullptr, &result);
  arena.give_back();
  return status_of(status, "a matrix product");
}

}  // namespace figment::xnnpack
