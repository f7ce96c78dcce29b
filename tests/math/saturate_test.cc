// Conversions at the ends of the types.
#include "runtime/math/saturate.h"

#include <doctest/doctest.h>

#include <limits>

using namespace figment;

TEST_CASE("float to int32 truncates and clamps") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(math::to_int32(2.9F) == 2);
  CHECK(math::to_int32(-2.9F) == -2);
  CHECK(math::to_int32(2147483520.0F) == 2147483520);
  CHECK(math::to_int32(2147483648.0F) == INT32_MAX);
  CHECK(math::to_int32(-2147483648.0F) == INT32_MIN);
  CHECK(math::to_int32(-3e9F) == INT32_MIN);
  CHECK(math::to_int32(kInfinity) == INT32_MAX);
  CHECK(math::to_int32(-kInfinity) == INT32_MIN);
  CHECK(math::to_int32(std::numeric_limits<float>::quiet_NaN()) == 0);
}

TEST_CASE("int32 to uint8 clamps") {
  CHECK(math::to_uint8(-1) == 0);
  CHECK(math::to_uint8(0) == 0);
  CHECK(math::to_uint8(255) == 255);
  CHECK(math::to_uint8(256) == 255);
  CHECK(math::to_uint8(INT32_MIN) == 0);
}
