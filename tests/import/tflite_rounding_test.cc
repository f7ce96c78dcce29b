// Integers times a factor, rounded twice.
#include "converter/import/tflite/rounding.h"

#include <doctest/doctest.h>

namespace figment::testing::lite {

using converter::multiply_rounding_twice;

TEST_CASE("factors of 1 and more round once, halves up") {
  for (int x = -255; x <= 255; ++x) {
    CHECK(multiply_rounding_twice(x, 1) == x);
    CHECK(multiply_rounding_twice(x, 3) == 3 * x);
    CHECK(std::abs(multiply_rounding_twice(x, 1.7) - 1.7 * x) <= 0.5);
  }
}

TEST_CASE("small factors round again, halves away from 0") {
  // 0.2 is 0.8 / 4: 12 * 0.8 = 9.6 becomes 10, and 2.5 becomes 3, though 12 * 0.2 is 2.4.
  CHECK(multiply_rounding_twice(12, 0.2) == 3);
  CHECK(multiply_rounding_twice(-12, 0.2) == -3);
  CHECK(multiply_rounding_twice(11, 0.2) == 2);
  for (int x = -255; x <= 255; ++x)
    CHECK(std::abs(multiply_rounding_twice(x, 0.01) - 0.01 * x) <= 0.51);
}

TEST_CASE("factors beyond all use") {
  CHECK(multiply_rounding_twice(255, 1e-30) == 0);
  CHECK(multiply_rounding_twice(255, 1e30) == INT32_MAX);
  CHECK(multiply_rounding_twice(-255, 1e30) == INT32_MIN);
  CHECK(multiply_rounding_twice(0, 1e30) == 0);
}

}  // namespace figment::testing::lite
