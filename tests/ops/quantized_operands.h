// Operands of integer operators, and what their sums must become, computed by division.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/ops/operands.h"

namespace figment::testing {

inline TestTensor int8_tensor(const Shape& shape, std::uint32_t seed, bool is_constant) {
  TestTensor tensor;
  tensor.shape = shape;
  tensor.type = DataType::kInt8;
  tensor.constant = is_constant;
  tensor.batched = !is_constant;
  std::mt19937 random(seed);
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    tensor.integers.push_back(static_cast<std::int32_t>(random() % 256) - 128);
  return tensor;
}

inline TestTensor int32_constant(const Shape& shape, std::vector<std::int32_t> integers) {
  TestTensor tensor;
  tensor.shape = shape;
  tensor.type = DataType::kInt32;
  tensor.constant = true;
  tensor.integers = std::move(integers);
  return tensor;
}

// Biases, multipliers and shifts that take sums over `depth` numbers to int8 and sometimes beyond.
inline TestTensor random_channels(int outputs, std::int64_t depth, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::int32_t> numbers;
  int shift = 43;
  for (std::int64_t d = 1; d < depth; d *= 4) ++shift;
  for (int i = 0; i < outputs; ++i)
    numbers.insert(numbers.end(), {static_cast<std::int32_t>(random() % 40001) - 20000,
                                   static_cast<std::int32_t>((random() >> 2) | (1U << 30)),
                                   shift + static_cast<int>(random() % 3) - 1});
  return int32_constant(shape_of({outputs, 3}), numbers);
}

// x's zero point, the output's, the lowest and the highest output.
inline TestTensor range_of(int x_zero_point, int zero_point, int low = -128, int high = 127) {
  return int32_constant(shape_of({4}), {x_zero_point, zero_point, low, high});
}

// The quotient rounded to nearest, halves up.
inline std::int64_t divide(std::int64_t dividend, int shift) {
  const std::int64_t divisor = std::int64_t{1} << shift;
  const std::int64_t twice = dividend + divisor / 2;
  return twice / divisor - (twice % divisor < 0 ? 1 : 0);
}

// What channel `o` of `channels` and `range` make of a sum without its bias.
inline double requantized(std::int64_t sum, const TestTensor& channels, int o,
                          const TestTensor& range) {
  const std::int32_t* channel = channels.integers.data() + std::size_t{3} * o;
  const int first = std::min(channel[2], 31);
  const auto high = static_cast<double>(divide((sum + channel[0]) * channel[1], first));
  // Halves away from 0.
  const std::int64_t value = std::llround(std::ldexp(high, first - channel[2])) + range.integers[1];
  return static_cast<double>(std::clamp<std::int64_t>(value, range.integers[2], range.integers[3]));
}

}  // namespace figment::testing
