// The matrix product with int8 weights: its rule bit by bit, and how far it is from the product in
// double precision.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "runtime/math/gemm.h"

namespace figment::math {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_floats(std::int64_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(generator() >> 8) / 8388608.0f - 1.0f;
  return values;
}

struct Sizes {
  std::int64_t rows, columns, depth;
  std::int64_t channels = 0;
  std::int64_t gap = 0;  // between rows of a and of c
};

// A product with everything that it points at.
struct Problem {
  Sizes size;
  std::vector<float> a, scales, bias, c;
  std::vector<std::int8_t> b;

  explicit Problem(const Sizes& sizes)
      : size(sizes),
        a(random_floats(sizes.rows * (sizes.depth + sizes.gap), 1)),
        scales(random_floats(sizes.columns + 2, 2)),
        bias(random_floats(sizes.columns, 3)),
        c(static_cast<std::size_t>(sizes.rows * (sizes.columns + sizes.gap)), 99.0f),
        b(static_cast<std::size_t>(sizes.columns * sizes.depth + 3)) {
    std::mt19937 generator(4);
    for (std::int8_t& q : b) q = static_cast<std::int8_t>(int(generator() % 255) - 127);
    for (float& scale : scales) scale = 0.001f + std::fabs(scale) / 100;
  }

  const float* row(std::int64_t index) const { return a.data() + index * (size.depth + size.gap); }
  float& x(std::int64_t index, std::int64_t k) {
    return a[static_cast<std::size_t>(index * (size.depth + size.gap) + k)];
  }
  float at(std::int64_t index, std::int64_t column) const {
    return c[static_cast<std::size_t>(index * (size.columns + size.gap) + column)];
  }
  // The product begins at element 3 of b and at channel 2.
  int q(std::int64_t column, std::int64_t k) const {
    return b[static_cast<std::size_t>(3 + column * size.depth + k)];
  }
  float scale(std::int64_t column) const {
    const std::int64_t channel = size.channels != 0 ? column % size.channels : column;
    return scales[static_cast<std::size_t>(2 + channel)];
  }

  void run() {
    const std::int64_t bytes = gemm_scratch_bytes(DataType::kInt8, size.depth, size.rows);
    std::vector<float> scratch(static_cast<std::size_t>(bytes + 3) / sizeof(float) + 1, 0.0f);
    scratch.back() = 77.0f;
    Gemm product;
    product.rows = size.rows;
    product.columns = size.columns;
    product.depth = size.depth;
    product.a = a.data();
    product.a_stride = size.depth + size.gap;
    product.b.type = DataType::kInt8;
    product.b.data = b.data();
    product.b.scales = scales;
    product.b_first = 3;
    product.first_channel = 2;
    product.channels = size.channels;
    product.bias = bias.empty() ? nullptr : bias.data();
    product.c = c.data();
    product.c_stride = size.columns + size.gap;
    gemm(product, reinterpret_cast<std::byte*>(scratch.data()));
    CHECK(scratch.back() == 77.0f);
  }
};

// The step of a row, and its numbers in steps, by the rule as gemm.h has it.
struct Quantized {
  float step;
  std::vector<int> numbers;
};

Quantized quantize(const float* row, std::int64_t depth) {
  float low = 0;
  float high = 0;
  for (std::int64_t k = 0; k < depth; ++k) {
    low = std::fmin(low, row[k]);
    high = std::fmax(high, row[k]);
  }
  const float span = std::fmax(high - low, std::ldexp(1.0f, -100));
  const float inverse = 255.0f / span;
  const float zero_point = -128 - std::nearbyint(low * inverse);
  Quantized result{span / 255.0f, {}};
  for (std::int64_t k = 0; k < depth; ++k) {
    const float q = std::nearbyint(row[k] * inverse) + zero_point;
    result.numbers.push_back(
        static_cast<int>(std::fmin(std::fmax(q, -128.0f), 127.0f) - zero_point));
  }
  return result;
}

void check(const Sizes& size, const std::function<void(Problem&)>& change = {}) {
  CAPTURE(size.rows);
  CAPTURE(size.columns);
  CAPTURE(size.depth);
  Problem problem(size);
  if (change) change(problem);
  problem.run();
  int wrong_rule = 0;
  int too_far = 0;
  for (std::int64_t row = 0; row < size.rows; ++row) {
    const float* x = problem.row(row);
    const Quantized quantized = quantize(x, size.depth);
    for (std::int64_t column = 0; column < size.columns; ++column) {
      const float scale = problem.scale(column);
      const float bias =
          problem.bias.empty() ? 0.0f : problem.bias[static_cast<std::size_t>(column)];
      std::int64_t sum = 0;
      double exact = double{bias};
      double magnitude = 0;
      for (std::int64_t k = 0; k < size.depth; ++k) {
        const int q = problem.q(column, k);
        sum += q * quantized.numbers[static_cast<std::size_t>(k)];
        exact += double{x[k]} * double{scale} * q;
        magnitude += std::fabs(double{scale} * q);
      }
      const float factor = quantized.step * scale;
      const float value = static_cast<float>(sum) * factor;
      const float promised = problem.bias.empty() ? value : value + bias;
      if (problem.at(row, column) != promised) ++wrong_rule;
      // Half a step for each number, and what float32 rounds.
      const double bound = 0.501 * double{quantized.step} * magnitude + 1e-6 * std::fabs(exact);
      if (!(std::fabs(double{problem.at(row, column)} - exact) <= bound + 1e-7)) ++too_far;
    }
    for (std::int64_t column = size.columns; column < size.columns + size.gap; ++column)
      CHECK(problem.at(row, column) == 99.0f);
  }
  CHECK(wrong_rule == 0);
  CHECK(too_far == 0);
}

TEST_CASE("every remainder of rows, columns and depth") {
  for (std::int64_t rows : {1, 2, 3, 5})
    for (std::int64_t columns : {1, 2, 3, 8})
      for (std::int64_t depth : {1, 3, 7, 8, 9, 16, 24, 31}) {
        check({rows, columns, depth, 0, rows == 3 ? 5 : 0});
        check({rows, columns, depth}, [](Problem& problem) { problem.bias.clear(); });
      }
}

TEST_CASE("more rows than are quantized at a time, and channels that repeat") {
  check({37, 12, 1000, 4});
  check({131, 5, 63, 5, 2});
  check({9, 3, 5000});
}

TEST_CASE("rows of one sign, of zeros, and of numbers next to nothing") {
  check({3, 5, 17}, [](Problem& p) {
    for (float& x : p.a) x = std::fabs(x);
  });
  check({3, 5, 17}, [](Problem& p) {
    for (float& x : p.a) x = -std::fabs(x) - 1;
  });
  check({3, 5, 17}, [](Problem& p) {
    for (float& x : p.a) x = 0;
    p.x(1, 3) = -0.0f;
  });
  for (float factor : {1e-38f, 1e-42f, 1e-30f, 1e30f})
    check({3, 5, 17}, [&](Problem& p) {
      for (float& x : p.a) x *= factor;
    });
  // One number that dwarfs the others.
  check({1, 5, 17}, [](Problem& p) { p.x(0, 7) = 1000; });
}

TEST_CASE("halves are rounded to even, and the largest is not beyond the last step") {
  // Steps of 1: -128 to 127 in whole numbers; -1.5 and 2.5 lie between two.
  check({1, 4, 5}, [](Problem& p) { p.a = {-128, 127, -1.5f, 2.5f, 0.5f}; });
  // 127.5 steps each way.
  check({1, 4, 2}, [](Problem& p) { p.a = {-1, 1}; });
}

TEST_CASE("a row that is no row of numbers becomes NaN, and no other row") {
  for (float bad : {kNaN, -kNaN, kInfinity, -kInfinity}) {
    Problem problem({5, 3, 9});
    problem.x(2, 4) = bad;
    problem.run();
    for (std::int64_t row = 0; row < 5; ++row)
      for (std::int64_t column = 0; column < 3; ++column)
        CHECK(std::isnan(problem.at(row, column)) == (row == 2));
  }
  // A span that float32 does not hold.
  Problem problem({2, 3, 9});
  problem.x(0, 1) = 3e38f;
  problem.x(0, 2) = -3e38f;
  problem.run();
  CHECK(std::isnan(problem.at(0, 0)));
  CHECK_FALSE(std::isnan(problem.at(1, 0)));
}

TEST_CASE("as deep as sums of 32 bits allow") {
  check({1, 2, kMaxInt8Depth}, [](Problem& p) {
    for (float& x : p.a) x = 1;
    for (std::int8_t& q : p.b) q = 127;
  });
}

TEST_CASE("scratch stays small") {
  CHECK(gemm_scratch_bytes(DataType::kInt8, 784, 1) == 4 + 2 * 784);
  CHECK(gemm_scratch_bytes(DataType::kInt8, 64, 100000) <= 9 * 1024);
  CHECK(gemm_scratch_bytes(DataType::kInt8, 4608, 100000) <= 4 * (2 * 4608 + 4));
}

}  // namespace
}  // namespace figment::math
