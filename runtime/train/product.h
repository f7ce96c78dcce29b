// The matrix product that everything that learns is made of. Its operands change with every step,
// so nothing is packed ahead of it.
#pragma once

#include "runtime/train/stored_weights.h"

namespace figment::train {

// A matrix in somebody else's memory: element (row, column) is data[row * row_stride + column *
// column_stride].
struct Matrix {
  const float* data;
  std::int64_t row_stride, column_stride;
  // Instead of data, for the right operand of a product: these weights or, with strides exchanged,
  // their transpose.
  const StoredWeights* stored = nullptr;

  Matrix transposed() const { return {data, column_stride, row_stride, stored}; }
};
// Rows of `columns` floats without gaps.
inline Matrix matrix(const float* data, std::int64_t columns) { return {data, columns, 1}; }
inline Matrix matrix(const StoredWeights& weights) {
  return {nullptr, weights.columns, 1, &weights};
}

// c [rows, columns] = a [rows, depth] * b [depth, columns], or c += it. Each element's sum runs
// over the depth in order, in parts of kDepthPart.
struct Multiplication {
  std::int64_t rows, columns, depth;
  Matrix a, b;
  float* c;  // nothing overlaps it
  std::int64_t c_stride;
  bool add = false;
};
inline constexpr std::int64_t kDepthPart = 256;

// The loops of one instruction set (product_tile.cc).
struct Loops;
// Those of a backend on this processor: the portable ones give the same bits on every machine.
const Loops& loops_of(Backend backend);

// Bytes of scratch, whatever the sizes. A pool keeps its number of threads.
std::size_t multiply_scratch_bytes(pthreadpool* threads);

// `scratch`: as many bytes, aligned to 64. The result does not depend on the number of threads.
void multiply(const Multiplication& product, const Loops& loops, std::byte* scratch,
              pthreadpool* threads);

}  // namespace figment::train
