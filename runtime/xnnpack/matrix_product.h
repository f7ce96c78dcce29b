// The matrix product with constant weights that dense layers and transposed convolutions share.
#pragma once

#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {

// y [rows, outputs] = x [rows, inputs] * weights^T + bias, on XNNPACK's fully-connected operator.
struct MatrixProductShape {
  std::size_t outputs;
  std::size_t inputs;
  std::size_t output_stride;  // floats from row to row of y; at least `outputs`
};

// Packs `weights` ([outputs, inputs], float32) into the arena. `bias`: `outputs` floats, or null.
inline Status create_matrix_product(const MatrixProductShape& shape, const float* weights,
                                    const float* bias, const Limits& limits,
                                    xnn_operator_t& product) {
  return status_of_created(
      xnn_create_fully_connected_nc_f32(shape.inputs, shape.outputs, /*input_stride=*/shape.inputs,
                                        shape.output_stride, weights, bias, limits.low, limits.high,
                                        /*flags=*/0, /*code_cache=*/nullptr,
                                        /*weights_cache=*/nullptr, &product),
      product, "a matrix product");
}

// Multiplies `rows` rows: XNNPACK's reshape of a fully-connected operator is arithmetic alone, so
// the number of rows may differ from call to call.
inline bool run_matrix_product(xnn_operator_t product, std::size_t rows, const float* x, float* y,
                               pthreadpool* threads) {
  return xnn_reshape_fully_connected_nc_f32(product, rows, threads) == xnn_status_success &&
         xnn_setup_fully_connected_nc_f32(product, x, y) == xnn_status_success &&
         xnn_run_operator(product, threads) == xnn_status_success;
}

}  // namespace figment::xnnpack
