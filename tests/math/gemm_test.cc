// The matrix product against its definition: the values in double precision, and the order of every
// sum bit by bit.
#include "runtime/math/gemm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "runtime/math/half.h"

namespace figment::math {
namespace {

std::vector<float> random_floats(std::int64_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(generator() >> 8) / 8388608.0f - 1.0f;
  return values;
}

// The sum in the order that gemm.h promises.
float promised_sum(const float* a, const float* b, std::int64_t depth, const float* bias) {
  float lanes[8] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    const float product = a[k] * b[k];
    lanes[k % 8] += product;
  }
  const float sum = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
                    ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  return bias ? sum + *bias : sum;
}

void check_product(std::int64_t rows, std::int64_t columns, std::int64_t depth, DataType type,
                   bool with_bias, std::int64_t gap) {
  CAPTURE(rows);
  CAPTURE(columns);
  CAPTURE(depth);
  const std::vector<float> a = random_floats(rows * (depth + gap), 1);
  std::vector<float> b = random_floats(columns * depth + 3, 2);  // the product begins at element 3
  std::vector<std::uint16_t> halves;
  for (float& value : b) {
    halves.push_back(narrow_to_half(value));
    if (type == DataType::kFloat16) value = widen_half(halves.back());
  }
  const std::vector<float> bias = random_floats(columns, 3);
  std::vector<float> c(static_cast<std::size_t>(rows * (columns + gap)), 99.0f);
  std::vector<float> scratch(
      static_cast<std::size_t>(gemm_scratch_bytes(type, depth, rows)) / sizeof(float) + 1, 0.0f);
  scratch.back() = 77.0f;

  Gemm product;
  product.rows = rows;
  product.columns = columns;
  product.depth = depth;
  product.a = a.data();
  product.a_stride = depth + gap;
  product.b.type = type;
  product.b.data = type == DataType::kFloat16 ? static_cast<void*>(halves.data()) : b.data();
  product.b_first = 3;
  product.bias = with_bias ? bias.data() : nullptr;
  product.c = c.data();
  product.c_stride = columns + gap;
  gemm(product, reinterpret_cast<std::byte*>(scratch.data()));

  int wrong_order = 0, wrong_value = 0, overwritten = 0;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns + gap; ++column) {
      const float value = c[static_cast<std::size_t>(row * (columns + gap) + column)];
      if (column >= columns) {
        if (value != 99.0f) ++overwritten;
        continue;
      }
      const float* left = a.data() + row * (depth + gap);
      const float* right = b.data() + 3 + column * depth;
      double exact = with_bias ? double{bias[static_cast<std::size_t>(column)]} : 0.0;
      for (std::int64_t k = 0; k < depth; ++k) exact += double{left[k]} * double{right[k]};
      if (value != promised_sum(left, right, depth,
                                with_bias ? &bias[static_cast<std::size_t>(column)] : nullptr))
        ++wrong_order;
      if (std::fabs(double{value} - exact) > 1e-5 * std::fmax(1.0, std::fabs(exact))) ++wrong_value;
    }
  CHECK(wrong_order == 0);
  CHECK(wrong_value == 0);
  CHECK(overwritten == 0);
  CHECK(scratch.back() == 77.0f);
}

TEST_CASE("every remainder of the tile and of the lanes") {
  for (std::int64_t rows : {1, 2, 3, 5})
    for (std::int64_t columns : {1, 2, 3, 8})
      for (std::int64_t depth : {1, 3, 7, 8, 9, 16, 24, 31})
        for (DataType type : {DataType::kFloat32, DataType::kFloat16})
          check_product(rows, columns, depth, type, columns != 2, rows == 3 ? 5 : 0);
}

TEST_CASE("more rows than a block of the cache holds") {
  check_product(37, 5, 1000, DataType::kFloat32, true, 0);
  check_product(37, 5, 1000, DataType::kFloat16, false, 2);
}

TEST_CASE("float32 needs no scratch, float16 a few rows") {
  CHECK(gemm_scratch_bytes(DataType::kFloat32, 1000, 3) == 0);
  CHECK(gemm_scratch_bytes(DataType::kFloat16, 1000, 3) <= 8 * 1000);
}

}  // namespace
}  // namespace figment::math
