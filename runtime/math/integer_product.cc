// Integer products, a few rows of a for each pass over a row of b.
#include "runtime/math/integer_product.h"

#include <algorithm>

#include "runtime/math/dot_int8.h"

namespace figment::math {
namespace {

constexpr std::int64_t kWideNumbers = 4096;
constexpr std::int64_t kMinRows = 2;

template <int kRows>
void multiply(const IntegerProduct& product, const std::int16_t* a, const std::int8_t* b,
              const QuantizedChannel& channel, std::int8_t* c) {
  std::int32_t sums[kRows];
  for (std::int32_t& sum : sums) sum = channel.bias;
  for (int i = 0; i < product.part_count; ++i) {
    const ProductPart& part = product.parts[i];
    std::int32_t added[kRows];
    dot_int8<kRows>(a + part.a, product.a_stride, b + part.b, product.depth, added);
    for (int row = 0; row < kRows; ++row) sums[row] += added[row];
  }
  for (int row = 0; row < kRows; ++row)
    c[row * product.c_stride] = requantize(sums[row], channel, product.range);
}

}  // namespace

void multiply_integers(const IntegerProduct& product) {
  for (std::int64_t column = 0; column < product.columns; ++column) {
    const std::int8_t* b = product.b + column * product.b_stride;
    const QuantizedChannel& channel = product.channels[column];
    const std::int16_t* a = product.a;
    std::int8_t* c = product.c + column;
    std::int64_t row = 0;
    for (; row + 2 <= product.rows; row += 2) {
      multiply<2>(product, a, b, channel, c);
      a += 2 * product.a_stride;
      c += 2 * product.c_stride;
    }
    if (row < product.rows) multiply<1>(product, a, b, channel, c);
  }
}

void widen(const std::int8_t* numbers, std::int64_t count, std::int32_t zero_point,
           std::int16_t* wide) {
  for (std::int64_t i = 0; i < count; ++i)
    wide[i] = static_cast<std::int16_t>(numbers[i] - zero_point);
}

std::int64_t wide_rows_at_a_time(std::int64_t depth, std::int64_t rows) {
  return std::min(rows, std::max(kMinRows, kWideNumbers / wide_row(depth)));
}

}  // namespace figment::math
