// How TensorFlow Lite's reference kernels multiply a small integer by a real factor: as a
// fixed-point number of 31 bits. For tables, which can hold exactly what they give.
#pragma once

#include <cmath>
#include <cstdint>

#include "runtime/math/requantize.h"

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
  return static_cast<std::int32_t>(
      math::multiply_fixed(x, static_cast<std::int32_t>(multiplier), 31 - exponent));
}

}  // namespace figment::converter
