// The matrix product with int8 weights: rows of `a` become integers as they come, a few at a time.
//
// This is how XNNPACK quantizes dynamically (qd8): asymmetric, 0 among the steps, 8 bits. Here the
// zero point is taken off at once, so a number x of the row stands as the integer nearest to x /
// step, between -255 and 255, and every sum of products is exact.
#include <algorithm>

#include "runtime/math/dot_int8.h"
#include "runtime/math/gemm.h"
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

// kRows rows of c in one column.
template <int kRows>
void multiply(const Gemm& product, const std::int16_t* a, const std::int8_t* b, const float* steps,
              float scale, const float* bias, float* c) {
  std::int32_t sums[kRows];
  dot_int8<kRows>(a, row_stride(product.depth), b, static_cast<int>(product.depth), sums);
  for (int row = 0; row < kRows; ++row) {
    const float value = static_cast<float>(sums[row]) * (steps[row] * scale);
    c[row * product.c_stride] = bias != nullptr ? value + *bias : value;
  }
}

}  // namespace

std::int64_t gemm_int8_scratch_bytes(std::int64_t depth, std::int64_t rows) {
  return rows_at_a_time(depth, rows) *
         (std::int64_t{sizeof(float)} + row_stride(depth) * std::int64_t{sizeof(std::int16_t)});
}

void gemm_int8(const Gemm& product, std::byte* scratch) {
  const std::int64_t depth = product.depth;
  const std::int64_t stride = row_stride(depth);
  const std::int64_t block = rows_at_a_time(depth, product.rows);
  float* steps = reinterpret_cast<float*>(scratch);
  std::int16_t* integers = reinterpret_cast<std::int16_t*>(steps + block);
  const std::int8_t* weights = static_cast<const std::int8_t*>(product.b.data) + product.b_first;
  const float* scales = product.b.scales.data() + product.first_channel;
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
      const std::int8_t* b = weights + column * depth;
      const float* bias = product.bias != nullptr ? product.bias + column : nullptr;
      const float scale = scales[channel];
      if (++channel == channels) channel = 0;
      float* c = product.c + first * product.c_stride + column;
      std::int64_t row = 0;
      for (; row + 2 <= rows; row += 2)
        multiply<2>(product, integers + row * stride, b, steps + row, scale, bias,
                    c + row * product.c_stride);
      if (row < rows)
        multiply<1>(product, integers + row * stride, b, steps + row, scale, bias,
                    c + row * product.c_stride);
    }
  }
}

}  // namespace figment::math
