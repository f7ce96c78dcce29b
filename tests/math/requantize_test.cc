// The fixed-point multiplication: rounding, limits, and that it is the real one but for a half.
#include "runtime/math/requantize.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

namespace figment::math {
namespace {

constexpr QuantizedRange kWhole = {0, 0, -128, 127};

TEST_CASE("halves of the high half round up, negative ones too") {
  const QuantizedChannel half = {0, 1 << 30, 31};
  const int expected[] = {-1, -1, 0, 0, 1, 1, 2};
  for (int sum = -3; sum <= 3; ++sum) CHECK(requantize(sum, half, kWhole) == expected[sum + 3]);
}

TEST_CASE("what is left of the shift rounds again, halves away from 0") {
  // 0.2 is 0.8 / 4: 12 * 0.8 = 9.6 becomes 10, and 2.5 becomes 3, though 12 * 0.2 is 2.4.
  const QuantizedChannel fifth = {0, 1717986918, 33};
  CHECK(requantize(12, fifth, kWhole) == 3);
  CHECK(requantize(-12, fifth, kWhole) == -3);
  CHECK(requantize(11, fifth, kWhole) == 2);
}

TEST_CASE("every factor is as near as its multiplier") {
  for (int shift = 31; shift <= kMaxShift; ++shift)
    for (const std::int32_t multiplier : {1 << 30, 1234567890, INT32_MAX})
      for (const std::int32_t sum : {INT32_MIN, -123456789, -1, 0, 1, 77, 98765432, INT32_MAX}) {
        const double real = std::ldexp(static_cast<double>(sum) * multiplier, -shift);
        const double clamped = std::fmin(127, std::fmax(-128, real));
        const double most = 0.5 + std::ldexp(0.5, 31 - shift);  // of both roundings
        CHECK(std::fabs(requantize(sum, {0, multiplier, shift}, kWhole) - clamped) <= most);
      }
}

TEST_CASE("the zero point comes before the limits") {
  const QuantizedChannel one = {0, 1 << 30, 30};
  CHECK(requantize(5, one, {0, 10, -128, 127}) == 15);
  CHECK(requantize(-300, one, {0, 100, -7, 127}) == -7);
  CHECK(requantize(300, one, {0, 100, -7, 99}) == 99);
  CHECK(requantize(INT32_MAX, {0, INT32_MAX, kMinShift}, kWhole) == 127);
  CHECK(requantize(INT32_MIN, {0, INT32_MAX, kMinShift}, kWhole) == -128);
}

}  // namespace
}  // namespace figment::math
