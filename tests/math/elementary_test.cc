// The elementary functions against the C library's double precision: the largest errors that
// runtime/math/elementary.h states, and the values at the ends.
#include "runtime/math/elementary.h"

#include <doctest/doctest.h>

#include "tests/math/ulp.h"

using namespace figment;
using figment::testing::worst_ulp;

namespace {

constexpr std::uint32_t kStep = 4099;  // a million numbers of every size
constexpr float kAll = std::numeric_limits<float>::infinity();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();
constexpr float kHuge = std::numeric_limits<float>::max();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

}  // namespace

TEST_CASE("errors are as stated") {
  CHECK(worst_ulp([](float x) { return math::exp(x); }, [](double x) { return std::exp(x); }, -kAll,
                  kAll, kStep) < 1.0);
  CHECK(worst_ulp([](float x) { return math::log(x); }, [](double x) { return std::log(x); }, -kAll,
                  kAll, kStep) < 0.8);
  CHECK(worst_ulp([](float x) { return math::tanh(x); }, [](double x) { return std::tanh(x); },
                  -kAll, kAll, kStep) < 1.4);
  CHECK(worst_ulp([](float x) { return math::erf(x); }, [](double x) { return std::erf(x); }, -kAll,
                  kAll, kStep) < 1.4);
  CHECK(worst_ulp([](float x) { return math::sigmoid(x); },
                  [](double x) {
                    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
                  },
                  -kAll, kAll, kStep) < 2.5);
  CHECK(worst_ulp([](float x) { return math::softplus(x); },
                  [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); },
                  -kAll, kAll, kStep) < 2.0);
  CHECK(worst_ulp([](float x) { return math::expm1_negative(x); },
                  [](double x) { return std::expm1(x); }, -kAll, -0.0F, kStep) < 1.0);
  CHECK(worst_ulp([](float x) { return math::log1p_fraction(x); },
                  [](double x) { return std::log1p(x); }, 0.0F, 1.0F, kStep) < 1.3);
}

TEST_CASE("powers are within 0.51 ulp for bases and exponents of every size") {
  for (const float exponent :
       {2.0F, 0.5F, -1.0F, -1.5F, 3.0F, 3.7F, 0.1F, -7.0F, 80.0F, 1e-6F, 16777215.0F}) {
    CAPTURE(exponent);
    CHECK(worst_ulp([=](float x) { return math::pow(x, exponent); },
                    [=](double x) { return std::pow(x, double{exponent}); }, -kAll, kAll,
                    40961) < 0.51);
  }
  for (const float base : {2.0F, 0.5F, 1.0001F, 10.0F, 0.999999F, -2.0F, -1.0F, 1e-40F, 3e38F}) {
    CAPTURE(base);
    CHECK(worst_ulp([=](float x) { return math::pow(base, x); },
                    [=](double x) { return std::pow(double{base}, x); }, -kAll, kAll,
                    40961) < 0.51);
  }
}

TEST_CASE("powers at zeros, ones, infinities and NaN are C's") {
  const float special[] = {0.0F,   -0.0F,   1.0F,        -1.0F,       2.0F,        -2.0F,
                           0.5F,   -0.5F,   3.0F,        -3.0F,       2.5F,        -2.5F,
                           kAll,   -kAll,   kNaN,        kTiny,       -kTiny,      kHuge,
                           -kHuge, 0x1p24F, 0x1p24F + 2, 16777215.0F, -16777215.0F};
  for (const float x : special) {
    for (const float y : special) {
      CAPTURE(x);
      CAPTURE(y);
      const float truth = static_cast<float>(std::pow(double{x}, double{y}));
      const float got = math::pow(x, y);
      if (std::isnan(truth)) {
        CHECK(bits(got) == 0x7fc00000U);
      } else if (truth == 0 || std::isinf(truth)) {
        CHECK(bits(got) == bits(truth));
      } else {
        CHECK(figment::testing::ulp_error(got, std::pow(double{x}, double{y})) < 0.51);
      }
    }
  }
}

TEST_CASE("values at the ends") {
  CHECK(math::exp(0.0F) == 1.0F);
  CHECK(math::exp(-kAll) == 0.0F);
  CHECK(math::exp(kAll) == kAll);
  CHECK(math::exp(88.72F) < kAll);
  CHECK(math::exp(88.73F) == kAll);
  CHECK(math::exp(-103.9F) == kTiny);
  CHECK(math::exp(-104.0F) == 0.0F);
  CHECK(math::log(1.0F) == 0.0F);
  CHECK(math::log(0.0F) == -kAll);
  CHECK(math::log(-0.0F) == -kAll);
  CHECK(math::log(kAll) == kAll);
  CHECK(std::isnan(math::log(-1.0F)));
  CHECK(math::log(kTiny) == doctest::Approx(-103.27893F).epsilon(1e-6));
  CHECK(bits(math::tanh(-0.0F)) == bits(-0.0F));
  CHECK(math::tanh(-kAll) == -1.0F);
  CHECK(math::tanh(10.0F) == 1.0F);
  CHECK(math::tanh(kTiny) == kTiny);
  CHECK(bits(math::erf(-0.0F)) == bits(-0.0F));
  CHECK(math::erf(kAll) == 1.0F);
  CHECK(math::erf(-4.0F) == -1.0F);
  CHECK(math::sigmoid(0.0F) == 0.5F);
  CHECK(math::sigmoid(-kAll) == 0.0F);
  CHECK(math::sigmoid(kAll) == 1.0F);
  CHECK(math::softplus(-kAll) == 0.0F);
  CHECK(math::softplus(kAll) == kAll);
  CHECK(math::expm1_negative(-kAll) == -1.0F);
  CHECK(math::expm1_negative(0.0F) == 0.0F);
  CHECK(std::isnan(math::exp(kNaN)));
  CHECK(std::isnan(math::log(kNaN)));
  CHECK(std::isnan(math::tanh(kNaN)));
  CHECK(std::isnan(math::erf(kNaN)));
  CHECK(std::isnan(math::sigmoid(kNaN)));
  CHECK(std::isnan(math::softplus(kNaN)));
  CHECK(std::isnan(math::expm1_negative(kNaN)));
  CHECK(bits(math::one_nan(-kNaN)) == 0x7fc00000U);
  CHECK(math::one_nan(3.0F) == 3.0F);
}

TEST_CASE("sine and cosine of a turn's parts") {
  const double turn = 2 * std::acos(-1.0);
  double worst = 0;
  for (std::uint64_t k = 0; k <= UINT32_MAX; k += 4099) {
    const math::SineCosine got = math::sine_cosine(static_cast<std::uint32_t>(k));
    const double angle = turn * static_cast<double>(k) / 4294967296.0;
    worst = std::max(
        {worst, std::fabs(got.sine - std::sin(angle)), std::fabs(got.cosine - std::cos(angle))});
  }
  CHECK(worst < 1.3e-7);
  CHECK(math::sine_cosine(0).sine == 0.0F);
  CHECK(math::sine_cosine(0).cosine == 1.0F);
  CHECK(math::sine_cosine(0x40000000U).sine == 1.0F);
  CHECK(math::sine_cosine(0x80000000U).cosine == -1.0F);
  CHECK(math::sine_cosine(0xC0000000U).sine == -1.0F);
}
