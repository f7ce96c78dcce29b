// How TensorFlow Lite's reference kernels multiply a small integer by a real factor: a fixed-point
// number of 31 bits, rounded in its high half and again in the rest, halves away from zero. For
// tables, which can hold exactly what they give.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace figment::converter {

// |x| is at most 2^9, factor positive.
inline std::int32_t multiply_rounding_twice(std::int32_t x, double factor) {
  int exponent = 0;
  auto multiplier = static_cast<std::int64_t>(std::round(std::frexp(factor, &exponent) * 0x1p31));
  if (multiplier == std::int64_t{1} << 31) {
    multiplier /= 2;
    ++exponent;
  }
  if (exponent < -31) return 0;
  if (exponent > 20) return x > 0 ? INT32_MAX : x < 0 ? INT32_MIN : 0;
  const std::int64_t product =
      (std::int64_t{x} * (std::int64_t{1} << std::max(exponent, 0))) * multiplier;
  const std::int64_t nudge = product >= 0 ? std::int64_t{1} << 30 : 1 - (std::int64_t{1} << 30);
  const auto high = static_cast<std::int32_t>((product + nudge) / (std::int64_t{1} << 31));
  return static_cast<std::int32_t>(std::round(std::ldexp(high, std::min(exponent, 0))));
}

}  // namespace figment::converter
