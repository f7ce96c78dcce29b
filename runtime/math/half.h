// float16 as it stands in files: IEEE 754 binary16. Widened exactly, narrowed to the nearest, ties
// to even.
#pragma once

#include <bit>
#include <cstdint>

#include "figment/figment.h"

namespace figment::math {

// Exact for every pattern of bits, and free of branches so that rows are widened with SIMD.
inline float widen_half(std::uint16_t half) {
  const std::uint32_t bits = std::uint32_t{half} << 16;
  const std::uint32_t sign = bits & 0x80000000u;
  const std::uint32_t magnitude = bits + bits;  // without the sign: the exponent is on top
  // A normal number: the exponent moves to its place, 224 is added to it, so that infinity and NaN
  // end at 255, and 2^-112 takes back what the others have too much.
  const float normal = std::bit_cast<float>((magnitude >> 4) + (224u << 23)) * 0x1p-112f;
  // A subnormal one: its bits are the last places of 0.5 + value.
  const float subnormal = std::bit_cast<float>((magnitude >> 17) | (126u << 23)) - 0.5f;
  const bool is_normal = magnitude >= (1u << 27);
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(is_normal ? normal : subnormal));
}

// From 65520 on (the middle between the largest float16 and the next power of two) infinity.
inline std::uint16_t narrow_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  std::uint32_t result;
  if (magnitude > 0x7f800000u) {
    result = 0x7e00u;  // NaN
  } else if (magnitude >= 0x477ff000u) {
    result = 0x7c00u;
  } else if (magnitude < 0x38800000u) {
    // Below 2^-14: adding 0.5 brings 2^-24, the last place of a subnormal, to the last place of the
    // sum.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    result = std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u;
  } else {
    const std::uint32_t is_odd = (magnitude >> 13) & 1u;
    result = (magnitude + 0xfffu + is_odd - (112u << 23)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | result);
}

// `count` numbers of `weights` (float32 or float16) from element `first` on, as float32: where they
// stand, or widened into `scratch`, which then holds `count` floats.
inline const float* as_floats(const Tensor& weights, std::int64_t first, std::int64_t count,
                              float* scratch) {
  if (weights.type == DataType::kFloat32) return weights.floats() + first;
  const std::uint16_t* halves = static_cast<const std::uint16_t*>(weights.data) + first;
  for (std::int64_t i = 0; i < count; ++i) scratch[i] = widen_half(halves[i]);
  return scratch;
}

}  // namespace figment::math
