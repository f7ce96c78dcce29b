// Scales and zero points with the least squared error, and factors as fixed-point numbers.
#include "converter/passes/int8_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace figment::converter {
namespace {

constexpr int kLevels = 256;
// Each end of the range is tried at these parts of the way to 0: kNarrowing^0, ^1, ...
constexpr double kNarrowing = 0.93;
constexpr int kTries = 36;  // down to 0.08

Int8Range range_between(double low, double high) {
  Int8Range range;
  const double span = high - low;
  range.scale = static_cast<float>(span / (kLevels - 1));
  if (!(range.scale >= 0x1p-100f)) range.scale = 1;  // nothing but zeros, or as good as
  range.zero_point = static_cast<std::int32_t>(
      std::clamp(std::nearbyint(INT8_MIN - low / double{range.scale}), -128.0, 127.0));
  return range;
}

// Numbers, how often they occur, and what the function makes of them.
struct Numbers {
  std::vector<float> values, results;
  std::vector<double> counts;
};

Numbers numbers_of(const std::vector<const Histogram*>& histograms, const Function& through) {
  Numbers numbers;
  for (const Histogram* histogram : histograms)
    for (std::size_t bin = 0; bin < histogram->counts.size(); ++bin) {
      if (histogram->counts[bin] == 0) continue;
      numbers.values.push_back(static_cast<float>(histogram->middle(bin)));
      numbers.counts.push_back(histogram->counts[bin]);
    }
  numbers.results = through ? through(numbers.values) : numbers.values;
  return numbers;
}

double squared_error(const Int8Range& range, const Numbers& numbers, const Function& through) {
  std::vector<float> levels;
  for (int q = INT8_MIN; q <= INT8_MAX; ++q) levels.push_back(static_cast<float>(range.value(q)));
  if (through) levels = through(levels);
  double sum = 0;
  for (std::size_t i = 0; i < numbers.values.size(); ++i) {
    const int level = range.quantize(double{numbers.values[i]}) - INT8_MIN;
    const double error = double{levels[static_cast<std::size_t>(level)]} - numbers.results[i];
    sum += numbers.counts[i] * error * error;
  }
  return sum;
}

}  // namespace

double Int8Range::steps(double value) const {
  return std::nearbyint(value / double{scale}) + zero_point;
}

std::int32_t Int8Range::quantize(double value) const {
  return static_cast<std::int32_t>(std::clamp<double>(steps(value), INT8_MIN, INT8_MAX));
}

Int8Range choose_range(const std::vector<const Histogram*>& histograms, const Function& through) {
  double low = 0;
  double high = 0;
  for (const Histogram* histogram : histograms) {
    low = std::min(low, histogram->low);
    high = std::max(high, histogram->high);
  }
  const Numbers numbers = numbers_of(histograms, through);
  Int8Range best = range_between(low, high);
  double least = std::numeric_limits<double>::infinity();
  double from = low;
  for (int i = 0; i < (low < 0 ? kTries : 1); ++i, from *= kNarrowing) {
    double to = high;
    for (int j = 0; j < (high > 0 ? kTries : 1); ++j, to *= kNarrowing) {
      const Int8Range range = range_between(from, to);
      const double error = squared_error(range, numbers, through);
      if (error >= least) continue;
      least = error;
      best = range;
    }
  }
  return best;
}

FixedPoint fixed_point(double factor) {
  int exponent = 0;
  double multiplier = std::nearbyint(std::frexp(factor, &exponent) * 0x1p31);
  if (multiplier >= 0x1p31) {
    multiplier /= 2;
    ++exponent;
  }
  int shift = 31 - exponent;
  // Beyond these a sum is 0, or saturates, whatever it is.
  if (shift > math::kMaxShift) {
    multiplier = std::nearbyint(std::ldexp(multiplier, math::kMaxShift - shift));
    shift = math::kMaxShift;
  } else if (shift < math::kMinShift) {
    multiplier = INT32_MAX;
    shift = math::kMinShift;
  }
  return {static_cast<std::int32_t>(multiplier), shift};
}

std::vector<std::int32_t> sum_numbers(const Int8Range& a, const Int8Range& b, const Int8Range& y,
                                      const std::vector<std::int32_t>& clamp) {
  const double a_factor = double{a.scale} / double{y.scale};
  const double b_factor = double{b.scale} / double{y.scale};
  constexpr double kMaxMultiplier = 1 << 21;
  const int shift = std::clamp(
      static_cast<int>(std::floor(std::log2(kMaxMultiplier / std::max(a_factor, b_factor)))), 1,
      30);
  const auto multiplier = [&](double factor) {
    return static_cast<std::int32_t>(
        std::min(std::nearbyint(std::ldexp(factor, shift)), kMaxMultiplier));
  };
  return {a.zero_point, multiplier(a_factor), b.zero_point, multiplier(b_factor),
          shift,        y.zero_point,         clamp[0],     clamp[1]};
}

std::vector<std::byte> table_of(const Function& function, const Int8Range& x, const Int8Range& y) {
  std::vector<float> values;
  for (int q = INT8_MIN; q <= INT8_MAX; ++q) values.push_back(static_cast<float>(x.value(q)));
  std::vector<std::byte> table;
  for (const float result : function(values))
    table.push_back(static_cast<std::byte>(y.quantize(std::isnan(result) ? 0.0 : double{result})));
  return table;
}

}  // namespace figment::converter
