// The matrix product with int8 and int4 weights: rows of `a` become integers as they come, a few at
// a time.
//
// This is how XNNPACK quantizes dynamically (qd8): asymmetric, 0 among the steps, 8 bits. Here the
// zero point is taken off at once, so a number x of the row stands as the integer nearest to x /
// step, between -255 and 255, and every sum of products is exact.
#include <algorithm>

#include "runtime/math/dot_int8.h"
#include "runtime/math/gemm.h"
#include "runtime/math/int4.h"
#include "runtime/math/quantize.h"

namespace figment::math {
namespace {

// Integers that rows of `a` take at a time (8 KB), but at least a few rows, which share each pass
// over b.
constexpr std::int64_t kBlockIntegers = 4096;
constexpr std::int64_t kMinBlockRows = 4;

// Rows begin at multiples of 4 bytes, as loads of two at once like it.
std::int64_t row_stride(std::int64_t depth) { return (depth + 1) & ~std::int64_t{1}; }

std::int64_t rows_at_a_time(std::int64_t depth, std::int64_t rows) {
  return std::min(rows, std::max(kMinBlockRows, kBlockIntegers / row_stride(depth)));
}

// A row of b: integers, and a scale for each `block` of them.
struct Weights {
  const std::int8_t* numbers;
  const float* scales;
  int block;
};

// kRows rows of c in one column.
template <int kRows>
void multiply(const Gemm& product, const std::int16_t* a, const Weights& b, const float* steps,
              const float* bias, float* c) {
  const std::int64_t stride = row_stride(product.depth);
  const std::int8_t* numbers = b.numbers;
  const float* scale = b.scales;
  float values[kRows];
  for (float& value : values) value = -0.0F;  // and x is x, also where x is -0
  int left = static_cast<int>(product.depth);
  do {
    std::int32_t sums[kRows];
    dot_int8<kRows>(a, stride, numbers, std::min(b.block, left), sums);
    for (int row = 0; row < kRows; ++row)
      values[row] += static_cast<float>(sums[row]) * (steps[row] * *scale);
    a += b.block;
    numbers += b.block;
    left -= b.block;
    ++scale;
  } while (left > 0);
  for (int row = 0; row < kRows; ++row)
    c[row * product.c_stride] = bias != nullptr ? values[row] + *bias : values[row];
}

}  // namespace

std::int64_t gemm_integers_scratch_bytes(DataType b_type, std::int64_t depth, std::int64_t rows) {
  const std::int64_t bytes =
      rows_at_a_time(depth, rows) *
      (std::int64_t{sizeof(float)} + row_stride(depth) * std::int64_t{sizeof(std::int16_t)});
  if (b_type == DataType::kInt8) return bytes;
  return bytes + int4_blocks(depth) * (std::int64_t{sizeof(float)} + kInt4Block);
}

void gemm_integers(const Gemm& product, std::byte* scratch) {
  const std::int64_t depth = product.depth;
  const std::int64_t stride = row_stride(depth);
  const std::int64_t block = rows_at_a_time(depth, product.rows);
  const bool is_int4 = product.b.type == DataType::kInt4;
  float* steps = reinterpret_cast<float*>(scratch);
  float* wide_scales = steps + block;
  std::int16_t* integers =
      reinterpret_cast<std::int16_t*>(is_int4 ? wide_scales + int4_blocks(depth) : wide_scales);
  std::int8_t* wide = reinterpret_cast<std::int8_t*>(integers + block * stride);
  const std::int64_t channels = product.channels != 0 ? product.channels : product.columns;
  for (std::int64_t first = 0; first < product.rows; first += block) {
    const std::int64_t rows = std::min(block, product.rows - first);
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* a = product.a + (first + row) * product.a_stride;
      const Steps found = find_steps(a, depth);
      quantize_row(a, depth, found, 0, integers + row * stride);
      steps[row] = found.step;
    }
    std::int64_t channel = 0;
    for (std::int64_t column = 0; column < product.columns; ++column) {
      Weights b{wide, wide_scales, kInt4Block};
      if (is_int4) {
        widen_int4(product.b, column, depth, wide, wide_scales);
      } else {
        b = {static_cast<const std::int8_t*>(product.b.data) + product.b_first + column * depth,
             product.b.scales.data() + product.first_channel + channel, static_cast<int>(depth)};
      }
      const float* bias = product.bias != nullptr ? product.bias + column : nullptr;
      if (++channel == channels) channel = 0;
      float* c = product.c + first * product.c_stride + column;
      std::int64_t row = 0;
      for (; row + 2 <= rows; row += 2)
        multiply<2>(product, integers + row * stride, b, steps + row, bias,
                    c + row * product.c_stride);
      if (row < rows)
        multiply<1>(product, integers + row * stride, b, steps + row, bias,
                    c + row * product.c_stride);
    }
  }
}

}  // namespace figment::math
