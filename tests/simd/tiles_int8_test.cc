// Sums of products with int8 weights over taps: each tap's product, as product_int8_test.cc checks
// it, added to those before.
#include "runtime/simd/tiles_int8.h"

#include <cstring>

#include "runtime/simd/packing.h"
#include "tests/simd/tables.h"

namespace figment::simd {
namespace {

constexpr int kTaps = 3;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

void check(const Kernels& table, int rows, int columns, int depth, float low, float high) {
  CAPTURE(rows);
  CAPTURE(columns);
  CAPTURE(depth);
  const PackingInt8 packing(table, columns, depth);
  const std::int64_t stride = 4 * packing.quads;
  const std::int64_t offsets[kTaps] = {rows / 2 + 3, 1, 0};
  const std::int64_t pixels = rows + offsets[0];
  std::mt19937 generator(5);
  const Guarded<std::uint8_t> integers(pixels * stride);
  for (std::int64_t i = 0; i < pixels * stride; ++i)
    integers[i] = static_cast<std::uint8_t>(generator());
  const Guarded<float> steps(random_floats(pixels, 1));
  const Guarded<std::int32_t> least(pixels);
  for (std::int64_t i = 0; i < pixels; ++i) least[i] = -static_cast<int>(generator() % 256);

  std::vector<std::vector<std::byte>> packed(kTaps);
  const std::vector<float> scales = random_floats(columns, 2);
  const std::vector<float> biases = random_floats(columns, 3);
  for (int tap = 0; tap < kTaps; ++tap) {
    std::vector<std::byte>& bytes = packed[static_cast<std::size_t>(tap)];
    bytes.resize(static_cast<std::size_t>(packing.bytes()));
    for (int column = 0; column < columns; ++column) {
      std::int32_t sum = 0;
      for (int k = 0; k < depth; ++k) {
        const int weight = int(generator() % 255) - 127;
        sum += weight;
        bytes[static_cast<std::size_t>(packing.at(column, 3 + k / 4) + k % 4)] =
            static_cast<std::byte>(weight);
      }
      const auto put = [&](std::int64_t line, const auto& value) {
        std::memcpy(bytes.data() + packing.at(column, line), &value, sizeof value);
      };
      put(0, scales[static_cast<std::size_t>(column)]);
      if (tap == 0) put(1, biases[static_cast<std::size_t>(column)]);
      put(2, sum);
    }
  }

  const std::int64_t count = std::int64_t{rows} * columns;
  const Guarded<float> sum(count);
  const std::byte* weights[kTaps] = {packed[0].data(), packed[1].data(), packed[2].data()};
  const auto quads = static_cast<int>(packing.quads);
  table.multiply_taps_int8({{integers.data(), stride, steps.data(), least.data(), nullptr,
                             sum.data(), columns, rows, columns, quads, low, high},
                            kTaps,
                            offsets,
                            weights});

  // The first tap without its bias, which is added last.
  std::vector<std::byte> first = packed[0];
  const float none = 0;
  for (int column = 0; column < columns; ++column)
    std::memcpy(first.data() + packing.at(column, 1), &none, sizeof none);
  weights[0] = first.data();
  std::vector<float> expected(static_cast<std::size_t>(count), 0.0F);
  std::vector<float> part(expected.size());
  for (int tap = 0; tap < kTaps; ++tap) {
    table.multiply_int8({integers.data() + offsets[tap] * stride, stride,
                         steps.data() + offsets[tap], least.data() + offsets[tap], weights[tap],
                         part.data(), columns, rows, columns, quads, -kInfinity, kInfinity});
    for (std::size_t i = 0; i < part.size(); ++i) expected[i] += part[i];
  }
  int wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const float value = expected[i] + biases[i % static_cast<std::size_t>(columns)];
    const float clamped = value < low ? low : value > high ? high : value;
    wrong += clamped != sum[static_cast<std::int64_t>(i)];
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("taps: every remainder of rows, columns and depth") {
  with_every_table([](const Kernels& table) {
    if (table.multiply_taps_int8 == nullptr) return;
    for (const int rows : {1, 3, 16, 17, 32, 33, 70})
      for (const int columns : {1, 15, 16, 17, 32, 33, 65})
        for (const int depth : {1, 64, 130}) {
          check(table, rows, columns, depth, -kInfinity, kInfinity);
          check(table, rows, columns, depth, -0.25F, 0.5F);
        }
  });
}

}  // namespace figment::simd
