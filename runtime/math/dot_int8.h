// Products of 16-bit and 8-bit integers, added up exactly: the inner loop of products with int8
// weights. Integers give the same sums in any order, so every chip may take its own.
#pragma once

#include <cstdint>
#include <cstring>

// Two products an instruction on microcontrollers with the DSP extension (Cortex-M4 and up). Chips
// with NEON do better with the plain loop, which compilers turn into SIMD, as on x86 and wasm.
#if defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_NEON)
#define FIGMENT_DUAL_PRODUCTS 1
#include <arm_acle.h>
#endif

namespace figment::math {

// sums[row] = sum over k of a[row * a_stride + k] * b[k], which must fit into 32 bits, for one row
// or two. Numbers of b are widened once for both.
template <int kRows>
inline void dot_int8(const std::int16_t* a, std::int64_t a_stride, const std::int8_t* b, int depth,
                     std::int32_t* sums) {
  static_assert(kRows == 1 || kRows == 2);
  const std::int16_t* other = a + (kRows - 1) * a_stride;
  std::int32_t sum = 0;
  std::int32_t other_sum = 0;
  int k = 0;
#ifdef FIGMENT_DUAL_PRODUCTS
  const auto load = [](const void* from) {
    std::uint32_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
  };
  for (; k + 4 <= depth; k += 4) {
    // One instruction widens bytes 0 and 2 of four, another 1 and 3; then they are put in order.
    const std::uint32_t four = load(b + k);
    const auto even = static_cast<std::uint32_t>(__sxtb16(static_cast<int8x4_t>(four)));
    const auto odd =
        static_cast<std::uint32_t>(__sxtb16(static_cast<int8x4_t>((four >> 8) | (four << 24))));
    const auto low = static_cast<int16x2_t>((even & 0xffffU) | (odd << 16));
    const auto high = static_cast<int16x2_t>((even >> 16) | (odd & 0xffff0000U));
    sum = __smlad(static_cast<int16x2_t>(load(a + k)), low, sum);
    sum = __smlad(static_cast<int16x2_t>(load(a + k + 2)), high, sum);
    if constexpr (kRows == 2) {
      other_sum = __smlad(static_cast<int16x2_t>(load(other + k)), low, other_sum);
      other_sum = __smlad(static_cast<int16x2_t>(load(other + k + 2)), high, other_sum);
    }
  }
#endif
  for (; k < depth; ++k) {
    // 16 bits on both sides: compilers know an instruction for that.
    sum += std::int32_t{a[k]} * std::int16_t{b[k]};
    if constexpr (kRows == 2) other_sum += std::int32_t{other[k]} * std::int16_t{b[k]};
  }
  sums[0] = sum;
  if constexpr (kRows == 2) sums[1] = other_sum;
}

}  // namespace figment::math
