// Sine and cosine of a number in radians, of our own as in elementary.h: the same bits everywhere.
//
// In double precision within. NaN and infinities give NaN.
#pragma once

#include "runtime/math/elementary.h"

namespace figment::math {

// x = quadrant * pi/2 + rest, |rest| <= pi/4 and a little; the quadrant modulo 4.
struct Angle {
  std::uint32_t quadrant;
  double rest;
};

// For |x| < 2^20: pi/2 in two pieces, of which the first times the quadrant is exact.
inline Angle reduce_near(float x) {
  constexpr double kRound = 0x1.8p52;
  const double shifted = static_cast<double>(x) * 0.63661977236758134308 + kRound;
  const double n = shifted - kRound;
  const double rest = (static_cast<double>(x) - n * 0x1.921fb544p0) - n * 0x1.0b4611a626331p-34;
  return {static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted)) & 3U, rest};
}

// For |x| >= 2^20 (Payne and Hanek, 1983): of x * 2/pi = mantissa * 2^exponent * 2/pi only those
// bits of 2/pi are multiplied that neither make whole turns nor are too small to count.
inline Angle reduce_far(float x) {
  // 2/pi as a binary fraction, after 64 zeros.
  constexpr std::uint64_t kTwoOverPi[] = {0, 0xa2f9836e4e441529U, 0xfc2757d1f534ddc0U,
                                          0xdb6295993c439041U, 0xfe5163abdebbc561U};
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint64_t mantissa = (bits & 0x007fffffU) | 0x00800000U;
  // The window begins where 2^exponent * 2/pi has the value 2.
  const std::uint32_t begin = (bits >> 23 & 0xffU) - 150U + 62U;
  const std::uint32_t word = begin / 64;
  const std::uint32_t shift = begin % 64;
  const std::uint64_t low_word = kTwoOverPi[word + 1];
  const std::uint64_t third_word = kTwoOverPi[word + 2];
  const std::uint64_t high =
      shift == 0 ? kTwoOverPi[word] : kTwoOverPi[word] << shift | low_word >> (64 - shift);
  const std::uint64_t low =
      (shift == 0 ? low_word : low_word << shift | third_word >> (64 - shift));
  // Quadrants in the upper 2 bits, a fraction of 62 below them.
  const std::uint64_t product = mantissa * high + (mantissa * (low >> 32) >> 32);
  const std::uint64_t quadrant = (product + (std::uint64_t{1} << 61)) >> 62;
  const double rest = static_cast<double>(static_cast<std::int64_t>(product - (quadrant << 62))) *
                      0x1.921fb54442d18p-62;  // pi/2 / 2^62
  const bool negative = (bits >> 31) != 0;
  return {static_cast<std::uint32_t>(negative ? 4 - quadrant : quadrant) & 3U,
          negative ? -rest : rest};
}

// The sine of quadrant * pi/2 + rest, by its series.
inline float sine_of(Angle angle) {
  const double x = angle.rest;
  const double z = x * x;
  double s = 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = x + x * (s * z);
  double c = -1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = c * z - 0.5;
  c = 1.0 + c * z;
  const double value = (angle.quadrant & 1U) != 0 ? c : s;
  return static_cast<float>((angle.quadrant & 2U) != 0 ? -value : value);
}

inline Angle reduce_angle(float x) {
  return absolute(x) < 0x1p20F ? reduce_near(x) : reduce_far(x);
}

// 0.53 ulp, for numbers of every size.
inline float sin(float x) {
  if (!(absolute(x) < kInfinity)) return kNaN;
  return x == 0.0F ? x : sine_of(reduce_angle(x));
}

inline float cos(float x) {
  if (!(absolute(x) < kInfinity)) return kNaN;
  Angle angle = reduce_angle(x);
  ++angle.quadrant;
  return sine_of(angle);
}

}  // namespace figment::math
