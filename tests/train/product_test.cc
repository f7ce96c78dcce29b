// The product of changing matrices against double precision.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "runtime/train/product.h"
#include "tests/support/threads.h"
namespace figment::train {
namespace {

struct Sizes {
  std::int64_t rows, columns, depth;
};

std::vector<float> numbers(std::int64_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(generator() >> 8) / 8388608.0F - 1;
  return values;
}

std::vector<float> product_of(const Sizes& sizes, const Matrix& a, const Matrix& b, bool add,
                              Backend backend, pthreadpool* threads) {
  const std::int64_t stride = sizes.columns + 3;
  std::vector<float> c(static_cast<std::size_t>(sizes.rows * stride), 0.5F);
  std::vector<float> scratch(multiply_scratch_bytes(threads) / sizeof(float) + 16);
  auto* bytes = reinterpret_cast<std::byte*>(scratch.data());
  bytes += (64 - reinterpret_cast<std::uintptr_t>(bytes) % 64) % 64;
  multiply({sizes.rows, sizes.columns, sizes.depth, a, b, c.data(), stride, add}, loops_of(backend),
           bytes, threads);
  return c;
}

void check(const Sizes& sizes, bool a_transposed, bool b_transposed, bool add) {
  CAPTURE(sizes.rows);
  CAPTURE(sizes.columns);
  CAPTURE(sizes.depth);
  CAPTURE(add);
  const std::vector<float> left = numbers(sizes.rows * sizes.depth, 1);
  const std::vector<float> right = numbers(sizes.depth * sizes.columns, 2);
  const Matrix a = a_transposed ? matrix(left.data(), sizes.rows).transposed()
                                : matrix(left.data(), sizes.depth);
  const Matrix b = b_transposed ? matrix(right.data(), sizes.depth).transposed()
                                : matrix(right.data(), sizes.columns);
  const std::vector<float> one = product_of(sizes, a, b, add, Backend::kXnnpack, nullptr);
  const std::vector<float> portable = product_of(sizes, a, b, add, Backend::kPortable, nullptr);
  const double bound = 1e-6 * static_cast<double>(sizes.depth + 1);
  for (std::int64_t row = 0; row < sizes.rows; ++row)
    for (std::int64_t column = 0; column < sizes.columns + 3; ++column) {
      double sum = add || column >= sizes.columns ? 0.5 : 0.0;
      if (column < sizes.columns)
        for (std::int64_t k = 0; k < sizes.depth; ++k)
          sum += double{a.data[row * a.row_stride + k * a.column_stride]} *
                 double{b.data[k * b.row_stride + column * b.column_stride]};
      const auto at = static_cast<std::size_t>(row * (sizes.columns + 3) + column);
      REQUIRE(std::fabs(double{one[at]} - sum) <= bound);
      REQUIRE(std::fabs(double{portable[at]} - sum) <= bound);
    }
  const test::Threads pool(2);
  CHECK(product_of(sizes, a, b, add, Backend::kXnnpack, pool.get()) == one);
}

TEST_CASE("products of every form, awkward sizes") {
  for (const std::int64_t rows : {1, 5, 14, 15, 130})
    for (const std::int64_t columns : {1, 8, 31, 32, 33, 70})
      for (const std::int64_t depth : {0, 1, 17, 256, 300})
        for (const bool add : {false, true}) {
          check({rows, columns, depth}, false, false, add);
          check({rows, columns, depth}, false, true, add);
          check({rows, columns, depth}, true, false, add);
        }
  check({40, 50, 60}, true, true, false);
}

}  // namespace
}  // namespace figment::train
