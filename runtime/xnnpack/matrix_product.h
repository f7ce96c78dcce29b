// The matrix product with constant weights that dense layers and convolutions share.
#pragma once

#include "runtime/simd/packing.h"
#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {

// y [rows, outputs] = clamp(x [rows, inputs] * weights^T + bias).
struct MatrixProductShape {
  std::size_t outputs;
  std::size_t inputs;
  std::size_t output_stride;  // floats from row to row of y; at least `outputs`
};

// On our own loops where they are the faster ones on this processor, else on XNNPACK's
// fully-connected operator.
struct MatrixProduct {
  const simd::Kernels* kernels;  // null: XNNPACK's
  xnn_operator_t library;
  simd::Product product;  // all but x, y and the rows
};

// Packs `weights` ([outputs, inputs], float32) into the arena. `bias`: `outputs` floats, or null.
Status create_matrix_product(const MatrixProductShape& shape, const float* weights,
                             const float* bias, const Limits& limits, Arena& arena,
                             MatrixProduct& product);

// The same of weights that are packed already, on loops of our own.
MatrixProduct packed_matrix_product(const MatrixProductShape& shape, const float* packed,
                                    const Limits& limits);

// Multiplies `rows` rows, as many as there are this time. False when XNNPACK refuses.
bool run_matrix_product(const MatrixProduct& product, std::size_t rows, const float* x, float* y,
                        pthreadpool* threads);

}  // namespace figment::xnnpack
