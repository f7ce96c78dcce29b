// Elementary functions of our own, so that every compiler and every chip gives the same bits.
//
// Built of additions, multiplications, divisions, square roots, comparisons and bit patterns alone,
// which IEEE 754 fixes to the bit; no call to the system's mathematics library. Without branches,
// so that loops over them are vectorized. Include this only in sources compiled with
// -ffp-contract=off: a fused a*b+c has other bits. (They are always inlined, so no copy made
// elsewhere can stand in.)
//
// Polynomials are minimax fits of our own; the largest error against the true value, in units in
// the last place (ulp), stands at each function, as tests/math/elementary_test.cc measures it. NaN
// gives NaN; infinities, zeros and denormal numbers are right.
#pragma once

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>

static_assert(FLT_EVAL_METHOD == 0,
              "float arithmetic must not be carried out in another precision");
static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);

#define FIGMENT_INLINE [[gnu::always_inline]] inline

namespace figment::math {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

FIGMENT_INLINE float absolute(float x) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7fffffffU);
}

// `size` (not negative) with the sign of `sign`.
FIGMENT_INLINE float with_sign(float size, float sign) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) |
                              (std::bit_cast<std::uint32_t>(sign) & 0x80000000U));
}

// One bit pattern for every NaN: which sign and payload an operation gives depends on the chip.
FIGMENT_INLINE float one_nan(float x) { return x == x ? x : kNaN; }

// 2^exponent, for exponents of normal numbers.
FIGMENT_INLINE float power_of_two(std::int32_t exponent) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

// x = n*ln(2) + r, |r| <= ln(2)/2 * 1.0001, for |x| < 2^20. The pieces of ln(2) make n*high exact.
struct Reduced {
  std::int32_t n;
  float r;
};
FIGMENT_INLINE Reduced reduce_by_ln2(float x) {
  constexpr float kRound =
      0x1.8p23F;  // adding it rounds to an integer, which then stands in the low bits
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  return {static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) -
                                    std::bit_cast<std::uint32_t>(kRound)),
          r};
}

// exp(r) - 1 - r for a reduced r.
FIGMENT_INLINE float exp_tail(float r) {
  float p = 1.3820411e-03F;
  p = p * r + 8.368677e-03F;
  p = p * r + 4.166827e-02F;
  p = p * r + 1.6666521e-01F;
  p = p * r + 4.9999994e-01F;
  return p * (r * r);
}

// e^x. 1 ulp.
FIGMENT_INLINE float exp(float x) {
  x = x < -104.0F ? -104.0F : x;  // below: 0
  x = x > 89.0F ? 89.0F : x;      // above: infinite
  const Reduced reduced = reduce_by_ln2(x);
  const float p = 1.0F + (reduced.r + exp_tail(reduced.r));
  // In two steps: 2^n itself may be no normal number. The first is exact, so nothing is rounded
  // twice.
  const std::int32_t half = reduced.n >> 1;
  return p * power_of_two(half) * power_of_two(reduced.n - half);
}

// e^x - 1 for x <= 0 (0 for others), without the cancellation near 0. 1 ulp.
FIGMENT_INLINE float expm1_negative(float x) {
  x = x < -30.0F ? -30.0F : x;  // below: -1
  x = x > 0.0F ? 0.0F : x;
  const Reduced reduced = reduce_by_ln2(x);
  const float scale = power_of_two(reduced.n);
  // 2^n * (e^r - 1) + (2^n - 1); the second term is 0 near 0.
  return scale * (reduced.r + exp_tail(reduced.r)) + (scale - 1.0F);
}

// Natural logarithm; -infinity at 0, NaN below. 0.8 ulp.
FIGMENT_INLINE float log(float x) {
  const bool denormal = x < 0x1p-126F;
  const float normal = denormal ? x * 0x1p23F : x;
  // normal = 2^e * (1 + f), with 1 + f between sqrt(1/2) and sqrt(2).
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(normal) - 0x3f3504f3U;
  const std::int32_t exponent = (static_cast<std::int32_t>(bits) >> 23) - (denormal ? 23 : 0);
  const float e = static_cast<float>(exponent);
  const float f = std::bit_cast<float>((bits & 0x007fffffU) + 0x3f3504f3U) - 1.0F;
  float q = 6.750956e-02F;
  q = q * f + -1.1671449e-01F;
  q = q * f + 1.1883568e-01F;
  q = q * f + -1.2406032e-01F;
  q = q * f + 1.4220327e-01F;
  q = q * f + -1.6667996e-01F;
  q = q * f + 2.0002073e-01F;
  q = q * f + -2.500001e-01F;
  q = q * f + 3.3333313e-01F;
  const float square = f * f;
  const float tail = (q * f * square + e * -2.12194440e-4F) - 0.5F * square;
  float y = (f + tail) + e * 0.693359375F;
  y = x == 0.0F ? -kInfinity : y;
  y = x == kInfinity ? kInfinity : y;
  return x >= 0.0F ? y : kNaN;
}

// log(1 + e) for 0 <= e <= 1. 1.3 ulp.
FIGMENT_INLINE float log1p_fraction(float e) {
  const float sum = 1.0F + e;
  return log(sum) + (e - (sum - 1.0F)) / sum;  // what the sum lost, to first order
}

// Hyperbolic tangent. 1.4 ulp.
FIGMENT_INLINE float tanh(float x) {
  const float size = absolute(x);
  const float square = x * x;
  float t = -5.716203e-03F;
  t = t * square + 2.0649709e-02F;
  t = t * square + -5.3743172e-02F;
  t = t * square + 1.3331486e-01F;
  t = t * square + -3.3333284e-01F;
  const float near_zero = size + size * (t * square);
  const float far = 1.0F - 2.0F / (exp(2.0F * size) + 1.0F);
  return with_sign(size < 0.625F ? near_zero : far, x);
}

// The Gauss error function. 1.4 ulp.
FIGMENT_INLINE float erf(float x) {
  const float size = absolute(x);
  const float square = x * x;
  float p = -6.010581e-04F;
  p = p * square + 4.9973805e-03F;
  p = p * square + -2.6769746e-02F;
  p = p * square + 1.1281911e-01F;
  p = p * square + -3.7612504e-01F;
  p = p * square + 1.2837915e-01F;
  const float near_zero = size + size * p;
  // 1 - erfc, with a polynomial for log(erfc); from 3.95 on it is 1.
  const float t = size > 3.95F ? 3.95F : size;
  float q = 1.957206e-04F;
  q = q * t + -3.0410865e-03F;
  q = q * t + 2.2218416e-02F;
  q = q * t + -1.03913955e-01F;
  q = q * t + -6.372023e-01F;
  q = q * t + -1.1276637e+00F;
  q = q * t + -1.9854588e-04F;
  const float far = 1.0F - exp(q);
  return with_sign(size < 0.921875F ? near_zero : far, x);
}

// 1 / (1 + e^-x), to the last bits far below 0 too. 2.5 ulp.
FIGMENT_INLINE float sigmoid(float x) {
  const float e = exp(-absolute(x));
  return (x < 0.0F ? e : 1.0F) / (1.0F + e);
}

// log(1 + e^x). 2 ulp.
FIGMENT_INLINE float softplus(float x) {
  const float e = exp(-absolute(x));
  return (x < 0.0F ? 0.0F : x) + log1p_fraction(e);  // a NaN is not below 0
}

// Sine and cosine of turns/2^32 of a full turn, `turns` counting from -2^31 to 2^31 - 1. The
// quadrant is found in integers, exactly. Within 1.3e-7.
struct SineCosine {
  float sine, cosine;
};
FIGMENT_INLINE SineCosine sine_cosine(std::uint32_t turns) {
  const std::uint32_t quadrant = (turns + 0x20000000U) >> 30;
  const std::int32_t rest = static_cast<std::int32_t>(turns - (quadrant << 30));
  const float x = static_cast<float>(rest) * 1.46291807e-9F;  // 2*pi/2^32: |x| <= pi/4
  const float square = x * x;
  float s = -1.95186e-04F;
  s = s * square + 8.332191e-03F;
  s = s * square + -1.6666655e-01F;
  s = x + x * (s * square);
  float c = 2.4430661e-05F;
  c = c * square + -1.3887301e-03F;
  c = c * square + 4.1666646e-02F;
  c = (1.0F - 0.5F * square) + c * square * square;
  const bool swapped = (quadrant & 1U) != 0;
  const float sine = swapped ? c : s;
  const float cosine = swapped ? s : c;
  return {quadrant >= 2 ? -sine : sine, quadrant == 1 || quadrant == 2 ? -cosine : cosine};
}

// Natural logarithm of a positive float, as a double with an error below 1e-13.
FIGMENT_INLINE double log_double(double x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x) - 0x3fe6a09e667f3bcdULL;
  // The exponent, as a double, out of the mantissa of 2^52 + exponent + 1024.
  const std::uint64_t biased = (bits + 0x4000000000000000ULL) >> 52;
  const double e = std::bit_cast<double>(biased | 0x4330000000000000ULL) - 4503599627371520.0;
  const double m = std::bit_cast<double>((bits & 0x000fffffffffffffULL) + 0x3fe6a09e667f3bcdULL);
  // log(m) = 2*atanh(s), by its series.
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double p = 1.0 / 15.0;
  p = p * z + 1.0 / 13.0;
  p = p * z + 1.0 / 11.0;
  p = p * z + 1.0 / 9.0;
  p = p * z + 1.0 / 7.0;
  p = p * z + 1.0 / 5.0;
  p = p * z + 1.0 / 3.0;
  return (2.0 * s + 2.0 * s * (z * p)) + e * 0.69314718055994530942;
}

// e^x for -200 < x < 200, with a relative error below 1e-14 by its series.
FIGMENT_INLINE double exp_double(double x) {
  constexpr double kRound = 0x1.8p52;
  const double shifted = x * 1.44269504088896340736 + kRound;
  const double n = shifted - kRound;
  const double r = (x - n * 0x1.62e42fefap-1) - n * 0x1.cf79abc9e3b4p-40;
  double p = 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * (r * r) + r + 1.0;
  const std::uint64_t exponent = std::bit_cast<std::uint64_t>(shifted) + 1023U;
  return p * std::bit_cast<double>(exponent << 52);
}

// x to the power of y, with C's rules at zeros, infinities and NaN. In double precision within, so
// 0.51 ulp.
FIGMENT_INLINE float pow(float x, float y) {
  const float base = absolute(x);
  const double power = y;
  double logarithm = log_double(static_cast<double>(base));
  logarithm = base == 0.0F ? -std::numeric_limits<double>::infinity() : logarithm;
  logarithm = base == kInfinity ? std::numeric_limits<double>::infinity() : logarithm;
  logarithm = base == base ? logarithm : std::numeric_limits<double>::quiet_NaN();
  double exponent = power * logarithm;
  exponent = exponent < -150.0 ? -150.0 : exponent;  // 0
  exponent = exponent > 150.0 ? 150.0 : exponent;    // infinite
  const float size = static_cast<float>(exp_double(exponent));

  // Rounded to an integer by adding 2^52; beyond that every number is an even integer.
  const float y_size = absolute(y);
  const double steps = y_size < 0x1p52F ? static_cast<double>(y_size) : 2.0;
  const double half = 0.5 * steps;
  const bool whole = (steps + 0x1p52) - 0x1p52 == steps;
  const bool odd = whole & ((half + 0x1p52) - 0x1p52 != half);
  const bool negative = (std::bit_cast<std::uint32_t>(x) >> 31) != 0;
  float result = (negative & odd) ? -size : size;
  result = ((x < 0.0F) & (base < kInfinity) & !whole) ? kNaN : result;
  result = ((base == 1.0F) & (y_size == kInfinity)) ? 1.0F : result;
  result = one_nan(result);
  return ((y == 0.0F) | (x == 1.0F)) ? 1.0F : result;
}

}  // namespace figment::math
