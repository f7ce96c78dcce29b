// From an int32 sum back to int8, without floating point: the sum times a fixed-point number, as
// gemmlowp and TensorFlow Lite have it.
//
// A real factor r, such as x_scale * weight_scale / y_scale, is multiplier * 2^-shift with
// 2^30 <= multiplier < 2^31. The product is formed in 64 bits and rounded to its high half, halves
// up; what is left of the shift rounds once more, halves away from 0:
//   high = (sum * multiplier + 2^(first-1)) >> first, first = min(shift, 31)
//   high * 2^-(shift - first), rounded
// which is TensorFlow Lite's MultiplyByQuantizedMultiplier (tensorflow/lite/kernels/internal/
// common.cc, without TFLITE_SINGLE_ROUNDING; gemmlowp's fixedpoint.h: SaturatingRoundingDoubling-
// HighMul, RoundingDivideByPOT): the same integer everywhere, and that of TFLite's reference.
#pragma once

#include <cstdint>

namespace figment::math {

// What one output channel of a product adds and multiplies by, as it lies in the file.
struct QuantizedChannel {
  std::int32_t bias;
  std::int32_t multiplier;  // not negative
  std::int32_t shift;       // kMinShift to kMaxShift
};

// What the products' x and outputs are, as it lies in the file.
struct QuantizedRange {
  std::int32_t x_zero_point;
  std::int32_t zero_point;
  std::int32_t low, high;  // outputs are clamped to these
};

inline constexpr std::int32_t kMinShift = 1;
// |sum * multiplier| is below 2^62, and so is what rounding adds.
inline constexpr std::int32_t kMaxShift = 62;

// value * multiplier * 2^-shift, rounded as said above.
inline std::int64_t multiply_fixed(std::int32_t value, std::int32_t multiplier,
                                   std::int32_t shift) {
  const std::int32_t first = shift < 31 ? shift : 31;
  const std::int32_t rest = shift - first;
  const std::int64_t high =
      (std::int64_t{value} * multiplier + (std::int64_t{1} << (first - 1))) >> first;
  const std::int64_t mask = (std::int64_t{1} << rest) - 1;
  return (high >> rest) + ((high & mask) > (mask >> 1) + (high < 0 ? 1 : 0) ? 1 : 0);
}

inline std::int8_t requantize(std::int32_t sum, const QuantizedChannel& channel,
                              const QuantizedRange& range) {
  const std::int64_t value =
      multiply_fixed(sum, channel.multiplier, channel.shift) + range.zero_point;
  if (value < range.low) return static_cast<std::int8_t>(range.low);
  return static_cast<std::int8_t>(value > range.high ? range.high : value);
}

}  // namespace figment::math
