// The matrix product with packed weights against double precision, and what it may touch.
#include <cmath>
#include <limits>

#include "runtime/simd/packing.h"
#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kUntouched = 99;

struct Sizes {
  int rows, columns, depth;
  int a_gap = 0;  // between rows of a, filled with NaN
  int c_gap = 0;  // between rows of c
  float low = -kInfinity, high = kInfinity;
};

// A product with everything that it points at. The padding of packed weights is NaN, so that
// nothing of it may reach the outputs.
struct Problem {
  Sizes size;
  Guarded<float> a;
  std::vector<float> weights, bias;  // [columns, depth]
  Guarded<float> packed;
  Guarded<float> c;

  Problem(const Kernels& table, const Sizes& sizes)
      : size(sizes),
        a(a_stride() * (size.rows - 1) + size.depth, kNaN),
        weights(random_floats(std::int64_t{size.columns} * size.depth, 2)),
        bias(random_floats(size.columns, 3)),
        packed(Packing(table, size.columns, size.depth).floats(), kNaN),
        c(c_stride() * (size.rows - 1) + size.columns, kUntouched) {
    const std::vector<float> values = random_floats(std::int64_t{size.rows} * size.depth, 1);
    for (int row = 0; row < size.rows; ++row)
      std::copy_n(values.data() + std::int64_t{row} * size.depth, size.depth, &a[row * a_stride()]);
    const Packing packing(table, size.columns, size.depth);
    for (int column = 0; column < size.columns; ++column) {
      packed[packing.at(column, -1)] = bias[static_cast<std::size_t>(column)];
      for (int k = 0; k < size.depth; ++k) packed[packing.at(column, k)] = weight(column, k);
    }
  }

  std::int64_t a_stride() const { return size.depth + size.a_gap; }
  std::int64_t c_stride() const { return size.columns + size.c_gap; }
  float weight(int column, int k) const {
    return weights[static_cast<std::size_t>(column) * static_cast<std::size_t>(size.depth) +
                   static_cast<std::size_t>(k)];
  }
  Product product() const {
    return {a.data(),  a_stride(),   packed.data(), c.data(), c_stride(),
            size.rows, size.columns, size.depth,    size.low, size.high};
  }

  // How many outputs lie further from the sums in double precision than roundings explain.
  int wrong() const {
    int count = 0;
    for (int row = 0; row < size.rows; ++row)
      for (int column = 0; column < size.columns; ++column) {
        double sum = bias[static_cast<std::size_t>(column)];
        double magnitude = std::fabs(sum);
        for (int k = 0; k < size.depth; ++k) {
          const double term = double{a[row * a_stride() + k]} * weight(column, k);
          sum += term;
          magnitude += std::fabs(term);
        }
        if (sum < size.low) sum = size.low;
        if (sum > size.high) sum = size.high;
        const double bound = std::ldexp(magnitude * (size.depth + 2), -24);
        const double value = c[row * c_stride() + column];
        if (!(std::fabs(value - sum) <= bound) && !(std::isnan(value) && std::isnan(sum))) ++count;
      }
    return count;
  }
  int touched_gaps() const {
    int count = 0;
    for (int row = 0; row + 1 < size.rows; ++row)
      for (std::int64_t column = size.columns; column < c_stride(); ++column)
        if (c[row * c_stride() + column] != kUntouched) ++count;
    return count;
  }
};

void check(const Kernels& table, const Sizes& size) {
  CAPTURE(size.rows);
  CAPTURE(size.columns);
  CAPTURE(size.depth);
  const Problem problem(table, size);
  table.multiply(problem.product());
  CHECK(problem.wrong() == 0);
  CHECK(problem.touched_gaps() == 0);
}

}  // namespace

TEST_CASE("every remainder of rows, columns and depth") {
  with_every_table([](const Kernels& table) {
    for (const int rows : {1, 2, 3, 6, 7, 13, 14, 15, 29})
      for (const int columns : {1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 65, 130})
        for (const int depth : {1, 2, 7, 64, 300})
          check(table, {rows, columns, depth, rows % 2, rows % 3 == 0 ? 5 : 0});
  });
}

TEST_CASE("clamps, on either side and on both") {
  with_every_table([](const Kernels& table) {
    for (const int rows : {1, 3, 15})
      for (const int columns : {5, 32, 33, 130}) {
        check(table, {rows, columns, 9, 0, 3, 0, kInfinity});
        check(table, {rows, columns, 9, 0, 0, -kInfinity, 0.25F});
        check(table, {rows, columns, 9, 2, 1, -0.5F, 0.5F});
      }
  });
}

TEST_CASE("NaN stays NaN through a clamp, in its row alone; infinities are clamped") {
  with_every_table([](const Kernels& table) {
    for (const int columns : {3, 16, 33, 130}) {
      CAPTURE(columns);
      const Problem problem(table, {4, columns, 7, 0, 2, -0.5F, 0.5F});
      problem.a[7 + 3] = kNaN;
      problem.a[2 * 7 + 6] = kInfinity;
      table.multiply(problem.product());
      CHECK(problem.wrong() == 0);
      for (int column = 0; column < columns; ++column) {
        CHECK(std::isnan(problem.c[problem.c_stride() + column]));
        CHECK(std::fabs(problem.c[2 * problem.c_stride() + column]) == 0.5F);
      }
    }
  });
}

// As threads share a product: whole panels of it, each with its part of the weights.
TEST_CASE("panels multiplied one by one give the bits of the whole") {
  with_every_table([](const Kernels& table) {
    const int columns = 5 * table.panel_columns + 3;
    for (const int rows : {1, 2, 5}) {
      const Problem whole(table, {rows, columns, 11});
      table.multiply(whole.product());
      const Problem parts(table, {rows, columns, 11});
      for (int first = 0; first < columns; first += table.panel_columns) {
        Product piece = parts.product();
        piece.b += std::int64_t{first} * (piece.depth + 1);
        piece.c += first;
        piece.columns = std::min(table.panel_columns, columns - first);
        table.multiply(piece);
      }
      CHECK(std::equal(whole.c.data(), whole.c.data() + whole.c.size(), parts.c.data()));
    }
  });
}

}  // namespace figment::simd
