// The rules by which weights are narrowed, in one place for the converter and for what has learned.
#include "runtime/math/stored_weights.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "runtime/math/half.h"
#include "runtime/math/int4.h"

namespace figment::math {
namespace {

constexpr float kLargestInt8 = 127;

// The scales that are tried take a block's largest weight to each of these.
constexpr int kTried = 13;
constexpr double kFirst = 6.5;
constexpr double kApart = 0.25;

bool is_transposed(const Shape& weights) { return weights.rank == 5; }

float clamp(float value, float low, float high) {
  return value < low ? low : value > high ? high : value;
}

void widen_int8(const Tensor& constant, std::int64_t first, std::int64_t count, float* values) {
  const auto* bytes = static_cast<const std::int8_t*>(constant.data);
  const ChannelPlace place =
      place_of_channel(constant.shape, static_cast<std::int64_t>(constant.scales.size()), 0);
  // Rows of one channel each; of transposed convolutions the channels come again with every tap.
  const bool transposed = is_transposed(constant.shape);
  const std::int64_t outputs = transposed ? constant.shape[3] : 1;
  const std::int64_t end = first + count;
  for (std::int64_t i = first; i < end;) {
    const std::int64_t row = i / place.length;
    const std::int64_t channel = row / (place.runs * outputs) * outputs + row % outputs;
    const float scale = constant.scales[static_cast<std::size_t>(channel)];
    const std::int64_t row_end = (row + 1) * place.length;
    const std::int64_t stop = row_end < end ? row_end : end;
    for (; i < stop; ++i) values[i - first] = scale * static_cast<float>(bytes[i]);
  }
}

void widen_blocks(const Tensor& constant, std::int64_t first, std::int64_t count, float* values) {
  const std::int64_t depth = int4_row_length(constant.shape);
  const auto* scales = static_cast<const std::uint16_t*>(constant.data);
  const auto* packed =
      reinterpret_cast<const std::uint8_t*>(scales + int4_scale_count(constant.shape));
  const std::int64_t end = first + count;
  for (std::int64_t i = first; i < end;) {
    const std::int64_t row = i / depth;
    const std::uint8_t* row_bytes = packed + row * int4_row_bytes(depth);
    const std::int64_t row_end = (row + 1) * depth;
    const std::int64_t stop = row_end < end ? row_end : end;
    for (; i < stop; ++i) {
      const std::int64_t at = i - row * depth;
      const int bits = row_bytes[at / 2] >> (at % 2 * 4) & 15;
      const float scale = widen_bfloat16(scales[row * int4_blocks(depth) + at / kInt4Block]);
      values[i - first] = scale * static_cast<float>(bits < 8 ? bits : bits - 16);
    }
  }
}

// The nearest of those that files hold. It stays below infinity: weights do.
std::uint16_t narrow_scale(double scale) {
  const float bounded = clamp(static_cast<float>(scale), 0x1p-126F, widen_bfloat16(0x7f7f));
  return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(bounded) + 0x8000U) >> 16);
}

double squared_error(std::span<const float> block, float scale) {
  double sum = 0;
  for (const float weight : block) {
    const double error = double{weight} - double{scale} * narrow_to_int4(weight, scale);
    sum += error * error;
  }
  return sum;
}

}  // namespace

void widen_part(const Tensor& constant, std::int64_t first, std::int64_t count, float* values) {
  switch (constant.type) {
    case DataType::kFloat16: {
      const auto* halves = static_cast<const std::uint16_t*>(constant.data) + first;
      for (std::int64_t i = 0; i < count; ++i) values[i] = widen_half(halves[i]);
      return;
    }
    case DataType::kInt8:
      return widen_int8(constant, first, count, values);
    case DataType::kInt4:
      return widen_blocks(constant, first, count, values);
    default:
      std::memcpy(values, constant.floats() + first,
                  static_cast<std::size_t>(count) * sizeof(float));
  }
}

ChannelPlace place_of_channel(const Shape& weights, std::int64_t channels, std::int64_t channel) {
  if (!is_transposed(weights)) {
    const std::int64_t length = weights.elements() / channels;
    return {channel * length, length, 1, length};
  }
  const std::int64_t taps = std::int64_t{weights[1]} * weights[2];
  const std::int64_t outputs = weights[3];
  const std::int64_t length = weights[4];
  const std::int64_t row = channel / outputs * taps * outputs + channel % outputs;
  return {row * length, length, taps, outputs * length};
}

float int8_scale(float largest) {
  const float scale = largest / kLargestInt8;
  // A channel of zeros needs a scale too.
  return scale > 0 ? scale : 1;
}

std::int8_t narrow_to_int8(float weight, float scale) {
  return static_cast<std::int8_t>(
      clamp(std::nearbyint(weight / scale), -kLargestInt8, kLargestInt8));
}

std::uint16_t choose_int4_scale(std::span<const float> block) {
  float largest = 0;
  for (const float weight : block) {
    const float magnitude = std::fabs(weight);
    if (magnitude > largest) largest = magnitude;
  }
  if (largest == 0) return narrow_scale(1);
  std::uint16_t best = 0;
  double least = 0;
  for (int i = 0; i < kTried; ++i) {
    const std::uint16_t scale = narrow_scale(double{largest} / (kFirst + i * kApart));
    const double error = squared_error(block, widen_bfloat16(scale));
    if (i > 0 && !(error < least)) continue;
    least = error;
    best = scale;
  }
  return best;
}

int narrow_to_int4(float weight, float scale) {
  return static_cast<int>(clamp(std::nearbyint(weight / scale), static_cast<float>(kMinInt4),
                                static_cast<float>(kMaxInt4)));
}

}  // namespace figment::math
