// float16: every pattern widens to the number it stands for, and every number narrows to the
// nearest.
#include "runtime/math/half.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace figment::math {
namespace {

// What IEEE 754 says that the pattern means.
double meaning(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 1023;
  const double sign = half & 0x8000 ? -1 : 1;
  if (exponent == 31)
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST_CASE("all 65536 patterns widen exactly and narrow back") {
  int wrong = 0;
  for (int pattern = 0; pattern < 65536; ++pattern) {
    const std::uint16_t half = static_cast<std::uint16_t>(pattern);
    const double expected = meaning(half);
    const float widened = widen_half(half);
    if (std::isnan(expected)) {
      if (!std::isnan(widened) || !std::isnan(widen_half(narrow_to_half(widened)))) ++wrong;
      continue;
    }
    if (double{widened} != expected || std::signbit(widened) != std::signbit(expected)) ++wrong;
    if (narrow_to_half(widened) != half) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("numbers between two patterns go to the nearest, ties to the even one") {
  int wrong = 0;
  for (int pattern = 0; pattern < 0x7bff; ++pattern) {
    const std::uint16_t low = static_cast<std::uint16_t>(pattern);
    const std::uint16_t high = static_cast<std::uint16_t>(pattern + 1);
    const std::uint16_t even = pattern % 2 == 0 ? low : high;
    const float middle = static_cast<float>((meaning(low) + meaning(high)) / 2);  // exact
    if (narrow_to_half(middle) != even) ++wrong;
    if (narrow_to_half(std::nextafter(middle, 0.0f)) != low) ++wrong;
    if (narrow_to_half(std::nextafter(middle, 1e9f)) != high) ++wrong;
    if (narrow_to_half(-middle) != (even | 0x8000)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("numbers outside of float16") {
  CHECK(narrow_to_half(65519.996f) == 0x7bff);
  CHECK(narrow_to_half(65520.0f) == 0x7c00);
  CHECK(narrow_to_half(-1e30f) == 0xfc00);
  CHECK(narrow_to_half(std::numeric_limits<float>::infinity()) == 0x7c00);
  CHECK(narrow_to_half(1e-30f) == 0);
  CHECK(narrow_to_half(-0.0f) == 0x8000);
}

TEST_CASE("weights are read where they stand, or widened") {
  std::vector<float> floats = {1, 2, 3, 4};
  std::vector<std::uint16_t> halves = {0x3c00, 0x4000, 0x4200, 0x4400};
  float scratch[2] = {};
  Tensor tensor;
  tensor.data = floats.data();
  CHECK(as_floats(tensor, 1, 2, scratch) == floats.data() + 1);
  tensor.data = halves.data();
  tensor.type = DataType::kFloat16;
  const float* widened = as_floats(tensor, 1, 2, scratch);
  CHECK(widened == scratch);
  CHECK(widened[0] == 2.0f);
  CHECK(widened[1] == 3.0f);
}

}  // namespace
}  // namespace figment::math
