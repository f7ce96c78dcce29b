// The matrix product with int4 weights: its rule bit by bit, and how far it is from the product in
// double precision.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "runtime/math/gemm.h"
#include "runtime/math/int4.h"
#include "tests/support/int4.h"

namespace figment::math {
namespace {

using figment::testing::as_bfloat16;
using figment::testing::pack_int4;

constexpr std::size_t kBlock = 32;

// A product with everything that it points at.
struct Problem {
  std::size_t rows, columns, depth;
  std::size_t blocks = (depth + kBlock - 1) / kBlock;
  std::vector<float> a, scales, bias, c;
  std::vector<std::int32_t> b;

  Problem(std::size_t its_rows, std::size_t its_columns, std::size_t its_depth)
      : rows(its_rows),
        columns(its_columns),
        depth(its_depth),
        a(rows * depth),
        scales(columns * blocks),
        bias(columns),
        c(rows * columns, 99.0F),
        b(columns * depth) {
    std::mt19937 generator(1);
    const auto next = [&] { return static_cast<float>(generator() >> 8) / 8388608.0F - 1; };
    for (float& x : a) x = next();
    for (float& scale : scales) scale = as_bfloat16(0.001F + std::fabs(next()) / 100);
    for (float& x : bias) x = next();
    for (std::int32_t& q : b) q = static_cast<std::int32_t>(generator() % 16) - 8;
  }

  void run() {
    std::vector<std::byte> packed = pack_int4(b, scales, depth);
    Gemm product;
    product.rows = static_cast<std::int64_t>(rows);
    product.columns = static_cast<std::int64_t>(columns);
    product.depth = product.a_stride = static_cast<std::int64_t>(depth);
    product.a = a.data();
    product.b.type = DataType::kInt4;
    product.b.shape.rank = 2;
    product.b.shape[0] = static_cast<std::int32_t>(columns);
    product.b.shape[1] = static_cast<std::int32_t>(depth);
    REQUIRE(int4_bytes(product.b.shape) == static_cast<std::int64_t>(packed.size()));
    product.b.data = packed.data();
    product.bias = bias.empty() ? nullptr : bias.data();
    product.c = c.data();
    product.c_stride = product.columns;
    const std::int64_t bytes = gemm_scratch_bytes(DataType::kInt4, product.depth, product.rows);
    std::vector<float> scratch(static_cast<std::size_t>(bytes + 3) / sizeof(float) + 1, 77.0F);
    gemm(product, reinterpret_cast<std::byte*>(scratch.data()));
    CHECK(scratch.back() == 77.0F);
  }

  // What gemm.h promises for one number, and the same product in double precision.
  void check() const {
    int wrong_rule = 0;
    int too_far = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      const float* x = a.data() + row * depth;
      const float low = std::min(0.0F, *std::min_element(x, x + depth));
      const float span = std::max(0.0F, *std::max_element(x, x + depth)) - low;
      const float step = span / 255;
      const float inverse = 255 / span;
      const float most = std::nearbyint(low * inverse) + 255;
      for (std::size_t column = 0; column < columns; ++column) {
        float promised = 0;
        double exact = bias.empty() ? 0.0 : double{bias[column]};
        double magnitude = 0;
        for (std::size_t block = 0; block < blocks; ++block) {
          const float scale = scales[column * blocks + block];
          std::int64_t sum = 0;
          for (std::size_t k = block * kBlock; k < std::min(depth, (block + 1) * kBlock); ++k) {
            const int q = b[column * depth + k];
            sum += q * static_cast<int>(std::min(std::nearbyint(x[k] * inverse), most));
            exact += double{x[k]} * double{scale} * q;
            magnitude += std::fabs(double{scale} * q);
          }
          promised += static_cast<float>(sum) * (step * scale);
        }
        if (!bias.empty()) promised += bias[column];
        const float found = c[row * columns + column];
        if (found != promised) ++wrong_rule;
        // Half a step for each number, and what float32 rounds.
        const double bound = 0.501 * double{step} * magnitude + 1e-6 * (1 + magnitude);
        if (!(std::fabs(double{found} - exact) <= bound)) ++too_far;
      }
    }
    CHECK(wrong_rule == 0);
    CHECK(too_far == 0);
  }
};

TEST_CASE("awkward sizes") {
  for (const std::size_t rows : {1, 2, 5})
    for (const std::size_t columns : {1, 3, 7, 24})
      for (const std::size_t depth : {1, 2, 31, 32, 33, 63, 64, 65, 1000}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(depth);
        Problem problem(rows, columns, depth);
        if (columns == 3) problem.bias.clear();
        problem.run();
        problem.check();
      }
}

TEST_CASE("more rows than are quantized at a time") {
  Problem problem(37, 12, 1000);
  problem.run();
  problem.check();
}

TEST_CASE("every weight there is, and the largest sums of a block") {
  Problem problem(1, 16, 64);
  for (std::size_t i = 0; i < problem.b.size(); ++i)
    problem.b[i] = static_cast<std::int32_t>(i / 64) - 8;
  for (float& x : problem.a) x = 1;
  problem.run();
  problem.check();
}

TEST_CASE("blocks are added in their order") {
  // 2^24 + 1 is no float32: what the first two blocks leave, the third takes away or not.
  Problem problem(1, 2, 96);
  problem.bias.clear();
  std::fill(problem.b.begin(), problem.b.end(), 0);
  for (const std::size_t column : {0, 1})
    for (const std::size_t block : {0, 1, 2}) problem.b[column * 96 + block * 32] = 1;
  for (float& x : problem.a) x = 255;
  problem.scales = {0x1p+20F, 0x1p-20F, 0x1p-20F, 0x1p-20F, 0x1p-20F, 0x1p+20F};
  problem.run();
  problem.check();
  CHECK(problem.c[0] == 255 * 0x1p+20F);
}

TEST_CASE("a row that is no row of numbers becomes NaN, and no other row") {
  Problem problem(3, 5, 65);
  problem.a[65 + 40] = std::numeric_limits<float>::infinity();
  problem.run();
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t column = 0; column < 5; ++column)
      CHECK(std::isnan(problem.c[row * 5 + column]) == (row == 1));
}

TEST_CASE("a row of int4 is widened with the scales of its blocks") {
  const std::vector<std::int32_t> integers = {-8, 7, 0, -1, 1, 5, 3, -5, -2, 4};
  const std::vector<std::byte> packed = pack_int4(integers, {0.5F, 0.25F}, 5);
  CHECK(packed.size() == 2 * 2 + 2 * 3);
  Tensor weights;
  weights.data = const_cast<std::byte*>(packed.data());
  weights.shape.rank = 2;
  weights.shape[0] = 2;
  weights.shape[1] = 5;
  std::int8_t numbers[kBlock];
  float scale = 0;
  widen_int4(weights, 1, 5, numbers, &scale);
  CHECK(scale == 0.25F);
  CHECK(std::vector<int>(numbers, numbers + 5) == std::vector<int>{5, 3, -5, -2, 4});
}

TEST_CASE("scratch stays small") {
  CHECK(gemm_scratch_bytes(DataType::kInt4, 784, 1) == 4 + 2 * 784 + 25 * (4 + 32));
  CHECK(gemm_scratch_bytes(DataType::kInt4, 64, 100000) <= 9 * 1024);
}

}  // namespace
}  // namespace figment::math
