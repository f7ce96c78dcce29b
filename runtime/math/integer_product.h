// The product of int8 numbers with int8 weights that dense layers, convolutions and transposed
// convolutions share when their activations are int8: exact int32 sums, and int8 again.
//
// x comes as 16-bit integers whose zero point is taken off already, so that padding is 0 and one
// inner loop (dot_int8.h) serves every chip.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/math/requantize.h"

namespace figment::math {

// Part of a sum: `depth` numbers of a row of a, and of a row of b, from these on.
struct ProductPart {
  std::int32_t a, b;
};

// c[row, column] = requantize(bias + sum over parts and k of
//                             a[row * a_stride + part.a + k] * b[column * b_stride + part.b + k])
struct IntegerProduct {
  std::int64_t rows = 0, columns = 0;
  int depth = 0;
  const ProductPart* parts = nullptr;
  int part_count = 0;
  const std::int16_t* a = nullptr;
  std::int64_t a_stride = 0;
  const std::int8_t* b = nullptr;
  std::int64_t b_stride = 0;
  const QuantizedChannel* channels = nullptr;  // one a column
  QuantizedRange range = {};
  std::int8_t* c = nullptr;
  std::int64_t c_stride = 0;
};

// The caller has seen to it that every sum fits into 32 bits.
void multiply_integers(const IntegerProduct& product);

// Writes `count` numbers less their zero point.
void widen(const std::int8_t* numbers, std::int64_t count, std::int32_t zero_point,
           std::int16_t* wide);

// Numbers of a row of `depth` with what makes rows begin at multiples of 4 bytes, as loads of two
// at once like it.
inline std::int64_t wide_row(std::int64_t depth) { return (depth + 1) & ~std::int64_t{1}; }

// Of `rows` rows of `depth` as many as are wide at a time: 8 KB, but at least two, which share each
// pass over b.
std::int64_t wide_rows_at_a_time(std::int64_t depth, std::int64_t rows);

}  // namespace figment::math
