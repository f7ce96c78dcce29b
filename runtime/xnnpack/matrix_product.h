// The matrix product with constant weights that dense layers and convolutions share.
#pragma once

#include <cstring>

#include "runtime/simd/packing.h"
#include "runtime/xnnpack/lowering.h"
#include "runtime/xnnpack/packed_weights.h"

namespace figment::xnnpack {

// y [rows, outputs] = clamp(x [rows, inputs] * weights^T + bias).
struct MatrixProductShape {
  std::size_t outputs;
  std::size_t inputs;
  std::size_t output_stride;  // floats from row to row of y; at least `outputs`
};

// Weights [outputs, inputs] to pack: float32, or int8 with a scale for each row, the first of which
// is scales[0] again after `channels` rows.
struct MatrixWeights {
  const float* floats;
  const std::int8_t* bytes;
  const float* scales;
  std::int64_t channels;

  bool ok() const { return floats != nullptr || bytes != nullptr; }
  MatrixWeights from_row(std::int64_t row, std::size_t inputs) const {
    const std::int64_t offset = row * static_cast<std::int64_t>(inputs);
    if (floats != nullptr) return {floats + offset, nullptr, nullptr, 0};
    return {nullptr, bytes + offset, scales, channels};
  }
};

// A constant's, float16 widened into memory that the arena lends until give_back(). Not ok() when
// the arena is full. Where packed weights come from a file these are not read.
MatrixWeights matrix_weights(const Tensor& weights, std::int64_t channels, Build& build);

// On our own loops where they are the faster ones on this processor, else on XNNPACK's
// fully-connected operator.
struct MatrixProduct {
  const simd::Kernels* kernels;  // null: XNNPACK's
  xnn_operator_t library;
  simd::Product product;   // all but x, y and the rows
  simd::ProductInt8 int8;  // the same for int8 weights; its b is null where they are float32

  bool is_int8() const { return int8.b != nullptr; }
};

// Packs the weights, or takes them packed from the file. `bias`: `outputs` floats, or null. int8
// weights need simd::Kernels::multiply_int8.
Status create_matrix_product(const MatrixProductShape& shape, const MatrixWeights& weights,
                             const float* bias, const Limits& limits, Build& build,
                             MatrixProduct& product);

// The same of float32 weights that are packed already, on loops of our own.
MatrixProduct packed_matrix_product(const MatrixProductShape& shape, const float* packed,
                                    const Limits& limits);

// How many steps the number 1 of a row of weights may be as an integer of 8 bits for
// simd::Kernels::multiply_centered. 0 where all are 0.
float steps_in_one(const float* weights, std::int64_t count);

// Writes one column of packed int8 weights (simd::PackingInt8), in memory that holds zeros.
class PackedColumn {
 public:
  PackedColumn(const simd::PackingInt8& packing, std::byte* packed, std::int64_t column)
      : first_(packed + packing.at(column, 0)),
        line_(packing.at(column, 1) - packing.at(column, 0)) {}
  void put(std::int64_t k, std::int8_t weight) {
    sum_ += weight;
    first_[(3 + k / 4) * line_ + k % 4] = static_cast<std::byte>(weight);
  }
  void finish(float scale, float bias) {
    write(0, scale);
    write(1, bias);
    write(2, sum_);
  }

 private:
  template <typename Number>
  void write(std::int64_t line, const Number& number) {
    std::memcpy(first_ + line * line_, &number, sizeof number);
  }

  std::byte* first_;   // the column's place in the first line
  std::int64_t line_;  // bytes from line to line
  std::int32_t sum_ = 0;
};

// Rows of x as a product takes them.
struct MatrixRows {
  const float* x;
  std::int64_t x_stride;
  // int8 weights:
  const std::uint8_t* integers;
  std::int64_t stride;
  const float* steps;
  const std::int32_t* least;

  MatrixRows from_row(std::int64_t row) const {
    if (integers == nullptr) return {x + row * x_stride, x_stride, nullptr, 0, nullptr, nullptr};
    return {nullptr, 0, integers + row * stride, stride, steps + row, least + row};
  }
};

// Rows of integers to be filled.
struct IntegerRows {
  std::uint8_t* integers;
  std::int64_t stride;
  float* steps;
  std::int32_t* least;
};

// Bytes for `rows` rows of quantized numbers; 0 where x is taken as it is.
std::size_t rows_bytes(const MatrixProduct& product, std::size_t rows);

// Where they stand in rows_bytes() of scratch, aligned to 64.
IntegerRows integer_rows(const MatrixProduct& product, std::size_t rows, std::byte* scratch);

// Quantizes rows of `inputs` floats into `scratch` (rows_bytes() of it, aligned to 64), or gives
// them as they are.
MatrixRows prepare_rows(const MatrixProduct& product, std::size_t rows, const float* x,
                        std::byte* scratch, pthreadpool* threads);

// Multiplies `rows` rows, as many as there are this time. False when XNNPACK refuses.
bool run_matrix_product(const MatrixProduct& product, std::size_t rows, const MatrixRows& x,
                        float* y, pthreadpool* threads);
// For float32 weights.
bool run_matrix_product(const MatrixProduct& product, std::size_t rows, const float* x, float* y,
                        pthreadpool* threads);

}  // namespace figment::xnnpack
