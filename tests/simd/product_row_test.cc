// The product of one row with zeros in it: the numbers of the product that reads every weight,
// without the weights that a zero meets.
#include <cmath>
#include <limits>

#include "runtime/simd/packing.h"
#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// A row in which every `zeros_in_ten` of ten numbers are zero, and weights for it. The padding of
// packed weights is NaN, so that nothing of it may reach the outputs.
struct Problem {
  Packing packing;
  Guarded<float> a, packed, c;
  float low = -kInfinity, high = kInfinity;

  Problem(const Kernels& table, int columns, int depth, int zeros_in_ten)
      : packing(table, columns, depth),
        a(random_floats(depth, 1)),
        packed(packing.floats(), kNaN),
        c(columns, 99) {
    for (int k = 0; k < depth; ++k)
      if (k * 7 % 10 < zeros_in_ten) a[k] = k % 2 == 0 ? 0.0F : -0.0F;
    const std::vector<float> weights = random_floats(std::int64_t{columns} * (depth + 1), 2);
    const float* next = weights.data();
    for (int column = 0; column < columns; ++column)
      for (int k = -1; k < depth; ++k) packed[packing.at(column, k)] = *next++;
  }

  // To every column's weight of number k.
  void set_weights(int k, float value) {
    for (std::int64_t column = 0; column < packing.columns; ++column)
      packed[packing.at(column, k)] = value;
  }
  Product product(bool finite_weights) const {
    const auto columns = static_cast<int>(packing.columns);
    const auto depth = static_cast<int>(packing.depth);
    return {a.data(), depth, packed.data(), c.data(), columns,       1,
            columns,  depth, low,           high,     finite_weights};
  }
  std::vector<float> multiply(const Kernels& table, bool finite_weights = true) const {
    table.multiply(product(finite_weights));
    return {c.data(), c.data() + c.size()};
  }
};

int count_nan(const std::vector<float>& values) {
  return static_cast<int>(
      std::count_if(values.begin(), values.end(), [](float value) { return std::isnan(value); }));
}

}  // namespace

TEST_CASE("the numbers are those of the product that reads every weight") {
  with_every_table([](const Kernels& table) {
    for (const int columns : {1, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 130, 144, 250, 784})
      for (const int depth : {1, 2, 15, 16, 33, 256, 4096, 4097})
        for (const int zeros : {0, 2, 5, 9, 10}) {
          if (columns > 130 && depth > 256) continue;
          CAPTURE(columns);
          CAPTURE(depth);
          CAPTURE(zeros);
          const Problem problem(table, columns, depth, zeros);
          CHECK(problem.multiply(table) == problem.multiply(table, false));
        }
  });
}

TEST_CASE("clamps, on either side and on both") {
  with_every_table([](const Kernels& table) {
    for (const int columns : {5, 16, 33, 130})
      for (const auto& [low, high] :
           {std::pair{0.0F, kInfinity}, {-kInfinity, 0.25F}, {-0.5F, 0.5F}}) {
        Problem problem(table, columns, 40, 5);
        problem.low = low;
        problem.high = high;
        CHECK(problem.multiply(table) == problem.multiply(table, false));
      }
  });
}

// NaN in place of those weights shows whether they were read.
TEST_CASE("weights that a zero meets are not read where a quarter of the row or more is zero") {
  with_every_table([](const Kernels& table) {
    for (const int columns : {17, 32, 33, 130}) {
      CAPTURE(columns);
      for (const int zeros : {15, 16, 63, 64}) {
        CAPTURE(zeros);
        Problem problem(table, columns, 64, 0);
        for (int k = 0; k < zeros; ++k) {
          problem.a[k] = k % 2 == 0 ? -0.0F : 0.0F;
          problem.set_weights(k, kNaN);
        }
        CHECK(count_nan(problem.multiply(table)) == (zeros < 16 ? columns : 0));
        CHECK(count_nan(problem.multiply(table, false)) == columns);
      }
    }
  });
}

TEST_CASE("NaN is no zero, nor are infinities and numbers too small to be normal") {
  with_every_table([](const Kernels& table) {
    for (const int columns : {3, 16, 33, 130})
      for (const int place : {0, 15, 16, 39}) {  // in a vector, and in what is left behind the last
        CAPTURE(columns);
        CAPTURE(place);
        Problem problem(table, columns, 40, 10);
        problem.a[place] = kNaN;
        CHECK(count_nan(problem.multiply(table)) == columns);
        problem.set_weights(place, 1e38F);
        problem.set_weights(-1, 0);
        problem.a[place] = kInfinity;
        for (const float value : problem.multiply(table)) CHECK(value == kInfinity);
        for (const float small : {std::numeric_limits<float>::denorm_min(), -1e-40F}) {
          problem.a[place] = small;
          for (const float value : problem.multiply(table)) CHECK(value == small * 1e38F);
        }
      }
  });
}

// As threads share a product: whole panels of it, each with its part of the weights.
TEST_CASE("panels multiplied one by one give the bits of the whole") {
  with_every_table([](const Kernels& table) {
    for (const int left : {3, table.lanes + 1}) {
      const int columns = 9 * table.panel_columns + left;
      const Problem whole(table, columns, 50, 6);
      const Problem parts(table, columns, 50, 6);
      for (int first = 0; first < columns; first += table.panel_columns) {
        Product piece = parts.product(true);
        piece.b += std::int64_t{first} * (piece.depth + 1);
        piece.c += first;
        piece.columns = std::min(table.panel_columns, columns - first);
        table.multiply(piece);
      }
      CHECK(whole.multiply(table) == std::vector<float>(parts.c.data(), parts.c.data() + columns));
    }
  });
}

}  // namespace figment::simd
