// Numbers from one type to another that may not hold them: the nearest it has, never undefined.
#pragma once

#include <cstdint>

namespace figment::math {

// Truncated toward zero, clamped; NaN is 0.
inline std::int32_t to_int32(float x) {
  const float number = x == x ? x : 0.0F;
  const float high = number > 2147483520.0F ? 2147483520.0F : number;  // the last one below 2^31
  const float clamped = high < -2147483648.0F ? -2147483648.0F : high;
  return x >= 2147483648.0F ? INT32_MAX : static_cast<std::int32_t>(clamped);
}

inline std::uint8_t to_uint8(std::int32_t x) {
  const std::int32_t high = x > 255 ? 255 : x;
  return static_cast<std::uint8_t>(high < 0 ? 0 : high);
}

}  // namespace figment::math
