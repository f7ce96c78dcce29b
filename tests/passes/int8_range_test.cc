// Ranges of int8 numbers, and factors as fixed-point numbers.
#include "converter/passes/int8_range.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace figment::converter;

namespace {

// A histogram of `count` numbers a bin between two limits.
Histogram even(double low, double high, double count = 1) {
  return {low, high, std::vector<double>(2048, count)};
}

}  // namespace

TEST_CASE("even numbers keep their whole range, and 0 is one of them") {
  const Histogram histogram = even(-1, 3);
  const Int8Range range = choose_range({&histogram}, nullptr);
  CHECK(range.scale == doctest::Approx(4.0 / 255).epsilon(0.01));
  CHECK(range.value(range.zero_point) == 0);
  CHECK(std::fabs(range.value(-128) + 1) < 0.02);
  CHECK(std::fabs(range.value(127) - 3) < 0.02);
  const Histogram positive = even(2, 5);
  CHECK(choose_range({&positive}, nullptr).zero_point == -128);
  const Histogram negative = even(-5, -2);
  CHECK(choose_range({&negative}, nullptr).zero_point == 127);
}

TEST_CASE("a rare number far away is cut off, a frequent one is not") {
  Histogram histogram = {-1, 100, std::vector<double>(2048, 0.0)};
  for (int bin = 0; bin < 40; ++bin) histogram.counts[static_cast<std::size_t>(bin)] = 1e6;
  histogram.counts.back() = 1;
  const Int8Range cut = choose_range({&histogram}, nullptr);
  CHECK(cut.value(127) < 50);
  histogram.counts.back() = 1e6;
  CHECK(choose_range({&histogram}, nullptr).value(127) > 95);
}

TEST_CASE("what a function flattens costs no steps") {
  const Histogram histogram = even(-20, 20);
  const Int8Range range = choose_range({&histogram}, [](const std::vector<float>& values) {
    std::vector<float> results;
    for (const float value : values) results.push_back(std::tanh(value));
    return results;
  });
  CHECK(range.value(127) < 6);
  CHECK(range.value(127) > 1.5);
}

TEST_CASE("several histograms share one range, zeros have one too") {
  const Histogram narrow = even(0, 1), wide = even(-6, 0);
  const Int8Range range = choose_range({&narrow, &wide}, nullptr);
  CHECK(range.value(-128) == doctest::Approx(-6).epsilon(0.02));
  CHECK(range.value(127) == doctest::Approx(1).epsilon(0.05));
  const Histogram zeros = {0, 0, std::vector<double>(2048, 1.0)};
  CHECK(choose_range({&zeros}, nullptr).quantize(0) == choose_range({&zeros}, nullptr).zero_point);
  CHECK(std::isnormal(choose_range({&zeros}, nullptr).scale));
}

TEST_CASE("numbers beyond a range saturate") {
  const Int8Range range = {0.5f, 10};
  CHECK(range.quantize(0) == 10);
  CHECK(range.quantize(0.25) == 10);  // halves to even
  CHECK(range.quantize(0.75) == 12);
  CHECK(range.quantize(1e30) == 127);
  CHECK(range.quantize(-INFINITY) == -128);
}

TEST_CASE("factors as multiplier and shift") {
  for (const double factor : {1.0, 0.5, 0.75, 1e-3, 3.7e-7, 123.4, 0x1p-31, 0.99999999999}) {
    const FixedPoint fixed = fixed_point(factor);
    CHECK(fixed.multiplier >= 1 << 30);
    CHECK(std::ldexp(static_cast<double>(fixed.multiplier), -fixed.shift) ==
          doctest::Approx(factor).epsilon(1e-9));
  }
  CHECK(fixed_point(1e-30).multiplier == 0);
  CHECK(fixed_point(1e-30).shift == 62);
  CHECK(fixed_point(1e30).shift == 1);
  CHECK(fixed_point(1e30).multiplier == INT32_MAX);
}
