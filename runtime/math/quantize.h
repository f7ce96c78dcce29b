// A row of numbers as 8-bit steps between its smallest and its largest number and 0: the
// activations of products with int8 weights. Every backend quantizes by this rule, so their sums
// are the same integers.
//
// Everything here has internal linkage and calls nothing of the library: files that are compiled
// for several instruction sets include it (runtime/simd/vector.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace figment::math {
namespace {

// The number x of the row stands as the integer nearest to x / step, halves to even: from `least`
// (at most 0) to least + 255.
struct Steps {
  float step;  // NaN where the row is not to be told in steps; every integer is 0 then
  float inverse;
  std::int32_t least;
};

constexpr std::int32_t kSteps = 255;  // between the smallest and the largest number of a row
// Rows that span less are 0: their steps would have no reciprocal.
constexpr float kLeastSpan = 0x1p-100F;

// The integer nearest to `value`, halves to even; |value| < 2^22. Adding 1.5 * 2^23 leaves it in
// the last places.
inline std::int32_t nearest(float value) {
  return __builtin_bit_cast(std::int32_t, value + 0x1.8p23F) -
         __builtin_bit_cast(std::int32_t, 0x1.8p23F);
}

// Bits of positive numbers are ordered as integers, those of negative ones backwards. So the
// extremes of a row are the largest of either; both begin at 0, and a NaN lies beyond infinity.
constexpr std::int32_t kHighestOfNone = 0;
constexpr std::uint32_t kLowestOfNone = 0x80000000U;

inline Steps steps_between(std::uint32_t lowest, std::int32_t highest) {
  const float low = __builtin_bit_cast(float, lowest);
  const float span = __builtin_bit_cast(float, highest) - low;
  if (!(span <= __FLT_MAX__)) return {__builtin_nanf(""), 0, 0};
  const float whole = span > kLeastSpan ? span : kLeastSpan;
  const float inverse = static_cast<float>(kSteps) / whole;
  return {whole / static_cast<float>(kSteps), inverse, nearest(low * inverse)};
}

inline Steps find_steps(const float* row, std::int64_t depth) {
  std::int32_t highest = kHighestOfNone;
  std::uint32_t lowest = kLowestOfNone;
  for (std::int64_t k = 0; k < depth; ++k) {
    const auto bits = __builtin_bit_cast(std::int32_t, row[k]);
    const auto unsigned_bits = static_cast<std::uint32_t>(bits);
    highest = highest > bits ? highest : bits;
    lowest = lowest > unsigned_bits ? lowest : unsigned_bits;
  }
  return steps_between(lowest, highest);
}

// Writes each number of the row as an integer less `offset`.
template <typename Integer>
inline void quantize_row(const float* row, std::int64_t depth, const Steps& steps,
                         std::int32_t offset, Integer* integers) {
  if (steps.step != steps.step) {
    __builtin_memset(integers, 0, static_cast<std::size_t>(depth) * sizeof(Integer));
    return;
  }
  const std::int32_t most = steps.least + kSteps;
  for (std::int64_t k = 0; k < depth; ++k) {
    const std::int32_t integer = nearest(row[k] * steps.inverse);
    integers[k] = static_cast<Integer>((integer < most ? integer : most) - offset);
  }
}

}  // namespace
}  // namespace figment::math
