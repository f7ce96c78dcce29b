// Quantized rows by packed int8 weights: the bits of the portable definition (runtime/math/gemm.h),
// which has a test of its own against double precision.
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "runtime/math/gemm.h"
#include "runtime/simd/packing.h"
#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kUntouched = 99;

struct Sizes {
  int rows, columns, depth;
  int x_gap = 0, c_gap = 0;
  bool has_bias = true;
  float low = -kInfinity, high = kInfinity;
};

// Weights [columns, depth] as large as they may be where those of so many quads meet in 16 bits (0:
// nowhere), in every place.
std::vector<std::int8_t> bearable_weights(int quads, int columns, int depth) {
  const int most = quads == 0 ? 127 : kShortWeights / (2 * quads);
  const int group = 4 * std::max(quads, 1);
  std::mt19937 generator(5);
  std::vector<std::int8_t> weights(static_cast<std::size_t>(columns) *
                                   static_cast<std::size_t>(depth));
  for (int column = 0; column < columns; ++column)
    for (int k = 0; k < depth; ++k) {
      int weight = static_cast<int>(generator() % static_cast<unsigned>(2 * most + 1)) - most;
      // Some columns have all of it in one place, or the same sign everywhere.
      if (column % 3 == 1) weight = most;
      if (column % 3 == 2) weight = k % group % 4 % 2 == 0 ? -most : most;
      if (column % 7 == 3) weight = k % group == 2 ? 127 : 0;
      weights[static_cast<std::size_t>(column * depth + k)] = static_cast<std::int8_t>(weight);
    }
  return weights;
}

// A product with everything that it points at.
struct Problem {
  Sizes size;
  std::vector<float> x, scales, bias;
  std::vector<std::int8_t> weights;  // [columns, depth]

  Problem(int quads, const Sizes& sizes)
      : size(sizes),
        x(random_floats(sizes.rows * x_stride(), 1)),
        scales(random_floats(sizes.columns, 2)),
        bias(random_floats(sizes.columns, 3)),
        weights(bearable_weights(quads, sizes.columns, sizes.depth)) {
    for (float& scale : scales) scale = 0.001F + std::fabs(scale) / 100;
  }

  std::int64_t x_stride() const { return size.depth + size.x_gap; }
  std::int64_t c_stride() const { return size.columns + size.c_gap; }
  float* row(int index) { return x.data() + index * x_stride(); }

  // By the portable definition, clamped.
  std::vector<float> expected() const {
    std::vector<float> c(static_cast<std::size_t>(size.rows * size.columns));
    math::Gemm product;
    product.rows = size.rows;
    product.columns = size.columns;
    product.depth = size.depth;
    product.a = x.data();
    product.a_stride = x_stride();
    product.b.type = DataType::kInt8;
    product.b.data = const_cast<std::int8_t*>(weights.data());
    product.b.scales = scales;
    product.bias = size.has_bias ? bias.data() : nullptr;
    product.c = c.data();
    product.c_stride = size.columns;
    std::vector<std::int64_t> scratch(static_cast<std::size_t>(
        math::gemm_scratch_bytes(DataType::kInt8, size.depth, size.rows) / 8 + 1));
    math::gemm(product, reinterpret_cast<std::byte*>(scratch.data()));
    for (float& value : c)
      value = value < size.low ? size.low : value > size.high ? size.high : value;
    return c;
  }

  std::vector<std::byte> pack(const PackingInt8& packing) const {
    std::vector<std::byte> packed(static_cast<std::size_t>(packing.bytes()), std::byte{0});
    const auto put = [&](int column, std::int64_t line, const auto& value) {
      std::memcpy(packed.data() + packing.at(column, line), &value, sizeof value);
    };
    for (int column = 0; column < size.columns; ++column) {
      const auto index = static_cast<std::size_t>(column);
      std::int32_t sum = 0;
      for (int k = 0; k < size.depth; ++k) {
        const std::int8_t weight =
            weights[index * static_cast<std::size_t>(size.depth) + static_cast<std::size_t>(k)];
        sum += weight;
        packed[static_cast<std::size_t>(packing.at(column, 3 + k / 4) + k % 4)] =
            static_cast<std::byte>(weight);
      }
      put(column, 0, scales[index]);
      if (size.has_bias) put(column, 1, bias[index]);
      put(column, 2, sum);
    }
    return packed;
  }
};

// The same bits; NaN as NaN; where the portable definition adds no bias, zeros of either sign.
bool same(float a, float b, bool has_bias) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == 0 && !has_bias) return b == 0;
  return std::memcmp(&a, &b, sizeof a) == 0;
}

void check(const Kernels& table, const Sizes& size,
           const std::function<void(Problem&)>& change = {}) {
  CAPTURE(size.rows);
  CAPTURE(size.columns);
  CAPTURE(size.depth);
  Problem problem(table.short_quads, size);
  if (change) change(problem);

  const PackingInt8 packing(table, size.columns, size.depth);
  const std::int64_t stride = 4 * packing.quads;
  const Guarded<float> x(std::vector<float>(problem.x.begin(), problem.x.end() - size.x_gap));
  const Guarded<std::uint8_t> integers(stride * size.rows, 77);
  const Guarded<float> steps(size.rows);
  const Guarded<std::int32_t> least(size.rows);
  table.quantize({x.data(), problem.x_stride(), integers.data(), stride, steps.data(), least.data(),
                  size.rows, size.depth});
  int padding = 0;
  for (int row = 0; row < size.rows; ++row)
    for (std::int64_t k = size.depth; k < stride; ++k) padding += integers[row * stride + k];
  CHECK(padding == 0);

  const Guarded<std::byte> packed(problem.pack(packing));
  const Guarded<float> c(problem.c_stride() * (size.rows - 1) + size.columns, kUntouched);
  table.multiply_int8({integers.data(), stride, steps.data(), least.data(), packed.data(), c.data(),
                       problem.c_stride(), size.rows, size.columns, static_cast<int>(packing.quads),
                       size.low, size.high});
  const std::vector<float> expected = problem.expected();
  int wrong = 0;
  int touched = 0;
  for (int row = 0; row < size.rows; ++row)
    for (int column = 0; column < problem.c_stride(); ++column) {
      if (column >= size.columns && row == size.rows - 1) continue;  // past the end
      const float value = c[row * problem.c_stride() + column];
      if (column >= size.columns)
        touched += value != kUntouched;
      else
        wrong += !same(expected[static_cast<std::size_t>(row * size.columns + column)], value,
                       size.has_bias);
    }
  CHECK(wrong == 0);
  CHECK(touched == 0);
}

// With each table that multiplies integers.
template <typename Check>
void with_every_integer_table(const Check& check_table) {
  with_every_table([&](const Kernels& table) {
    if (table.multiply_int8 != nullptr) check_table(table);
  });
}

}  // namespace

TEST_CASE("int8: every remainder of rows, columns and depth") {
  with_every_integer_table([](const Kernels& table) {
    for (const int rows : {1, 2, 3, 5, 8, 9, 17, 32, 49})
      for (const int columns : {1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 65, 130})
        for (const int depth : {1, 2, 3, 4, 7, 64, 301})
          check(table, {rows, columns, depth, rows % 3, columns % 4, rows % 2 == 1});
  });
}

TEST_CASE("int8: rows of one sign, of zeros, and of numbers next to nothing") {
  with_every_integer_table([](const Kernels& table) {
    for (const bool has_bias : {true, false}) {
      const Sizes size{5, 37, 19, 1, 2, has_bias};
      check(table, size, [](Problem& problem) {
        for (float& x : problem.x) x = std::fabs(x) + 1;
      });
      check(table, size, [](Problem& problem) {
        for (float& x : problem.x) x = -std::fabs(x) - 1;
      });
      check(table, size, [](Problem& problem) {
        for (float& x : problem.x) x = 0;
        problem.row(1)[3] = -0.0F;
      });
      for (const float factor : {1e-28F, 1e-30F, 1e-32F, 1e-38F, 1e-42F, 1e30F, 3e38F})
        check(table, size, [&](Problem& problem) {
          for (float& x : problem.x) x *= factor;
        });
      // One number that dwarfs the others; halves between two steps.
      check(table, size, [](Problem& problem) {
        problem.row(0)[7] = 1000;
        for (int k = 0; k < 19; ++k) problem.row(2)[k] = static_cast<float>(k) - 8.5F;
        problem.row(2)[0] = -128;
        problem.row(2)[1] = 127;
      });
    }
  });
}

TEST_CASE("int8: a row with a NaN or an infinity becomes NaN, through clamps, and no other row") {
  with_every_integer_table([](const Kernels& table) {
    for (const float bad : {kNaN, -kNaN, kInfinity, -kInfinity})
      for (const int columns : {3, 33, 130}) {
        const auto spoil = [&](Problem& problem) { problem.row(2)[4] = bad; };
        check(table, {5, columns, 9, 0, 1, true, -0.5F, 0.5F}, spoil);
        check(table, {5, columns, 9, 1, 0, false}, spoil);
        Problem problem(table.short_quads, {5, columns, 9});
        spoil(problem);
        CHECK(std::isnan(problem.expected()[static_cast<std::size_t>(2 * columns)]));
      }
    // A span that float32 does not hold.
    check(table, {2, 17, 9}, [](Problem& problem) {
      problem.row(0)[1] = 3e38F;
      problem.row(0)[2] = -3e38F;
    });
  });
}

TEST_CASE("int8: clamps, and sums as large as they become") {
  with_every_integer_table([](const Kernels& table) {
    check(table, {7, 45, 30, 0, 3, true, 0, kInfinity});
    check(table, {7, 45, 30, 0, 3, true, -0.25F, 0.5F});
    const auto most = static_cast<std::int8_t>(
        table.short_quads == 0 ? 127 : kShortWeights / (2 * table.short_quads));
    check(table, {2, 17, static_cast<int>(math::kMaxInt8Depth)}, [&](Problem& problem) {
      for (float& x : problem.x) x = 1;
      for (std::int8_t& weight : problem.weights) weight = most;
    });
    check(table, {1, 3, 1000}, [&](Problem& problem) {
      for (float& x : problem.x) x = -1;
      for (std::int8_t& weight : problem.weights) weight = static_cast<std::int8_t>(-most);
    });
  });
}

namespace {

void check_centered(const Kernels& table, int rows, int columns, int depth) {
  CAPTURE(rows);
  CAPTURE(columns);
  CAPTURE(depth);
  const int step = table.depth_step;
  const int padded = (depth + step - 1) / step * step;
  const Problem problem(table.short_quads, {rows, columns, depth});
  const PackingInt8 packing(table, columns, padded);
  const Guarded<std::byte> packed(problem.pack(packing));
  std::mt19937 generator(6);
  const Guarded<std::uint8_t> integers(rows * padded, 0);
  for (int row = 0; row < rows; ++row)
    for (int k = 0; k < depth; ++k)
      integers[row * padded + k] =
          static_cast<std::uint8_t>(row % 3 == 1   ? 255
                                    : row % 3 == 2 ? 1
                                                   : 1 + generator() % 255);
  const Guarded<float> steps(random_floats(rows, 7));
  const Guarded<float> c(rows * (columns + 1), kUntouched);
  ProductInt8 product{};
  product.a = integers.data();
  product.a_stride = padded;
  product.steps = steps.data();
  product.b = packed.data();
  product.c = c.data();
  product.c_stride = columns + 1;
  product.rows = rows;
  product.columns = columns;
  product.quads = padded / 4;
  table.multiply_centered(product);
  int wrong = 0;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      int sum = 0;
      for (int k = 0; k < depth; ++k)
        sum += (integers[row * padded + k] - 128) *
               problem.weights[static_cast<std::size_t>(column * depth + k)];
      const float expected =
          static_cast<float>(sum) * (steps[row] * problem.scales[static_cast<std::size_t>(column)]);
      wrong += c[row * (columns + 1) + column] != expected;
    }
    wrong += c[row * (columns + 1) + columns] != kUntouched;
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("centered: sums are exact at the ends of what bytes and weights may be") {
  int count = 0;
  with_every_integer_table([&](const Kernels& table) {
    if (table.multiply_centered == nullptr) return;
    ++count;
    for (const int rows : {1, 2, 3, 4, 7, 9, 28})
      for (const int columns : {1, 7, 8, 16, 17, 31, 33, 130})
        for (const int depth : {1, 3, 4, 5, 8, 12, 13, 64, 301})
          check_centered(table, rows, columns, depth);
  });
#ifdef __x86_64__
  CHECK((count > 0) == bool(__builtin_cpu_supports("avx2")));
#endif
}

}  // namespace figment::simd
