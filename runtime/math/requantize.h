// From an int32 sum back to int8, without floating point: the sum times a fixed-point number, as
// gemmlowp and TensorFlow Lite have it.
//
// A real factor r, such as x_scale * weight_scale / y_scale, is multiplier * 2^-shift with
// 2^30 <= multiplier < 2^31. The product is formed in 64 bits and rounded once, halves up:
//   (sum * multiplier + 2^(shift-1)) >> shift
// which is TensorFlow Lite's MultiplyByQuantizedMultiplier with TFLITE_SINGLE_ROUNDING
// (tensorflow/lite/kernels/internal/common.cc); gemmlowp's own rounds twice, in the high half and
// in the rest (fixedpoint.h: SaturatingRoundingDoublingHighMul, RoundingDivideByPOT). It is the
// same integer everywhere.
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

inline std::int8_t requantize(std::int32_t sum, const QuantizedChannel& channel,
                              const QuantizedRange& range) {
  const std::int64_t half = std::int64_t{1} << (channel.shift - 1);
  const std::int64_t scaled = (std::int64_t{sum} * channel.multiplier + half) >> channel.shift;
  const std::int64_t value = scaled + range.zero_point;
  if (value < range.low) return static_cast<std::int8_t>(range.low);
  return static_cast<std::int8_t>(value > range.high ? range.high : value);
}

}  // namespace figment::math
