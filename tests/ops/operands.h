// Operands for the tests of operators, in one line each.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/math/half.h"
#include "tests/ops/operator_harness.h"
#include "tests/support/int4.h"

namespace figment::testing {

// An input of the model, random, whose first axis is the batch.
inline TestTensor batched_input(const Shape& shape, std::uint32_t seed = 1) {
  TestTensor tensor;
  tensor.shape = shape;
  tensor.values = random_values(shape.elements(), seed);
  tensor.batched = true;
  return tensor;
}

// An input of the model, random, of a fixed shape.
inline TestTensor fixed_input(const Shape& shape, std::uint32_t seed = 1) {
  TestTensor tensor = batched_input(shape, seed);
  tensor.batched = false;
  return tensor;
}

// A constant in the file, random; as float16 its values are those that float16 holds.
inline TestTensor constant(const Shape& shape, std::uint32_t seed = 2,
                           DataType type = DataType::kFloat32) {
  TestTensor tensor;
  tensor.shape = shape;
  tensor.values = random_values(shape.elements(), seed);
  tensor.constant = true;
  tensor.type = type;
  if (type == DataType::kFloat16)
    for (float& value : tensor.values) value = math::widen_half(math::narrow_to_half(value));
  return tensor;
}

// Integers that every loop of bytes multiplies as they are (runtime/simd/kernels.h, kShortWeights).
inline constexpr int kPlainInteger = 32;

// A constant as int8 weights of `channels` channels, element i of channel channel_of(i), the
// largest of each `most`; its values become those that int8 holds.
template <typename ChannelOf>
TestTensor as_int8(TestTensor tensor, int channels, const ChannelOf& channel_of,
                   int most = kPlainInteger) {
  tensor.type = DataType::kInt8;
  tensor.scales.assign(static_cast<std::size_t>(channels), 1e-3f);
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    float& scale = tensor.scales[channel_of(i)];
    scale = std::max(scale, std::fabs(tensor.values[i]) / static_cast<float>(most));
  }
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    const float scale = tensor.scales[channel_of(i)];
    tensor.integers.push_back(static_cast<std::int32_t>(std::lround(tensor.values[i] / scale)));
    tensor.values[i] = scale * static_cast<float>(tensor.integers.back());
  }
  return tensor;
}

// The same for weights whose channels are rows, one after another.
inline TestTensor rows_as_int8(const TestTensor& tensor, int channels, int most = kPlainInteger) {
  const std::size_t row = tensor.values.size() / static_cast<std::size_t>(channels);
  return as_int8(
      tensor, channels, [&](std::size_t i) { return i / row; }, most);
}

// A constant of rows as int4 weights; its values become those that int4 holds.
inline TestTensor rows_as_int4(TestTensor tensor) {
  tensor.type = DataType::kInt4;
  const auto row = static_cast<std::size_t>(tensor.shape[tensor.shape.rank - 1]);
  for (std::size_t first = 0; first < tensor.values.size();) {
    const std::size_t last = std::min(first + 32, first / row * row + row);
    float scale = 1e-3f;
    for (std::size_t i = first; i < last; ++i)
      scale = std::max(scale, std::fabs(tensor.values[i]) / 7);
    // Not below: the largest must fit.
    scale = as_bfloat16(scale * (1 + 0x1p-7f));
    tensor.scales.push_back(scale);
    for (; first < last; ++first) {
      tensor.integers.push_back(
          static_cast<std::int32_t>(std::lround(tensor.values[first] / scale)));
      tensor.values[first] = scale * static_cast<float>(tensor.integers.back());
    }
  }
  return tensor;
}

// Zeros and ones: what the portable backend quantizes for weights of integers without an error.
inline TestTensor black_and_white(TestTensor tensor) {
  for (float& value : tensor.values) value = value > 0 ? 1.0f : 0.0f;
  return tensor;
}

inline TestTensor constant_values(std::vector<float> values) {
  TestTensor tensor = constant(shape_of({static_cast<std::int32_t>(values.size())}));
  tensor.values = std::move(values);
  return tensor;
}

// LeakyRelu with slope 0.2, and what it makes of numbers in double precision.
inline format::UnaryT leaky_relu() {
  format::UnaryT activation;
  activation.function = format::UnaryFunction::LeakyRelu;
  activation.alpha = 0.2f;
  return activation;
}

inline std::vector<double> leaky_relu_of(std::vector<double> values) {
  for (double& value : values)
    if (value < 0) value *= double{0.2f};
  return values;
}

// Element (n, y, x, c) of a picture.
inline std::size_t at(const Shape& shape, int n, int y, int x, int c) {
  return ((static_cast<std::size_t>(n) * shape[1] + y) * shape[2] + x) * shape[3] + c;
}

}  // namespace figment::testing
