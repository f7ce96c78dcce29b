// Sine and cosine against the C library's double precision, over numbers of every size.
#include "runtime/math/trigonometry.h"

#include <doctest/doctest.h>

#include "tests/math/ulp.h"

using namespace figment;
using figment::testing::worst_ulp;

namespace {
constexpr std::uint32_t kStep = 1021;  // four million numbers
}

TEST_CASE("errors are as stated, from denormal numbers to the largest") {
  CHECK(worst_ulp([](float x) { return math::sin(x); }, [](double x) { return std::sin(x); },
                  -math::kInfinity, math::kInfinity, kStep) < 0.53);
  CHECK(worst_ulp([](float x) { return math::cos(x); }, [](double x) { return std::cos(x); },
                  -math::kInfinity, math::kInfinity, kStep) < 0.53);
}

TEST_CASE("numbers next to multiples of pi/2 keep their digits") {
  for (int quadrant = -2000; quadrant <= 2000; ++quadrant) {
    const auto x = static_cast<float>(quadrant * 1.57079632679489661923);
    CAPTURE(x);
    CHECK(testing::ulp_error(math::sin(x), std::sin(static_cast<double>(x))) < 0.53);
    CHECK(testing::ulp_error(math::cos(x), std::cos(static_cast<double>(x))) < 0.53);
  }
  // The float nearest to a multiple of pi/2 (Muller, Elementary Functions): 16367173 * 2^72.
  const float worst = std::ldexp(16367173.0F, 72);
  CHECK(testing::ulp_error(math::cos(worst), std::cos(static_cast<double>(worst))) < 0.53);
  CHECK(testing::ulp_error(math::sin(worst), std::sin(static_cast<double>(worst))) < 0.53);
}

TEST_CASE("the ends") {
  CHECK(std::bit_cast<std::uint32_t>(math::sin(-0.0F)) == 0x80000000U);
  CHECK(math::sin(0x1p-149F) == 0x1p-149F);
  CHECK(math::cos(0.0F) == 1.0F);
  CHECK(std::isnan(math::sin(math::kInfinity)));
  CHECK(std::isnan(math::cos(-math::kInfinity)));
  CHECK(std::isnan(math::sin(math::kNaN)));
}
