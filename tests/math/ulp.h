// How far a float32 result is from the true value, in units in the last place.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace figment::testing {

// 0 for the same infinity or two NaN; infinite where only one of them is finite or a number.
inline double ulp_error(float got, double truth) {
  const float rounded = static_cast<float>(truth);
  if (std::isnan(rounded) || std::isnan(got))
    return std::isnan(rounded) && std::isnan(got) ? 0 : std::numeric_limits<double>::infinity();
  if (std::isinf(rounded) || std::isinf(got))
    return rounded == got ? 0 : std::numeric_limits<double>::infinity();
  const int exponent = std::max(-126, std::ilogb(truth == 0 ? 0x1p-126 : truth));
  return std::fabs(static_cast<double>(got) - truth) / std::ldexp(1.0, exponent - 23);
}

// The largest error of `function` over numbers of every size between `low` and `high`, infinities
// included: every `step`-th pattern of bits.
template <typename Function, typename Truth>
double worst_ulp(Function function, Truth truth, float low, float high, std::uint32_t step) {
  double worst = 0;
  for (std::uint64_t bits = 0; bits <= UINT32_MAX; bits += step) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!(x >= low && x <= high)) continue;
    worst = std::max(worst, ulp_error(function(x), truth(static_cast<double>(x))));
  }
  return worst;
}

}  // namespace figment::testing
