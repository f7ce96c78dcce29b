// Products of bytes, added up by fours: the instructions of product_int8.cc. A line of weights has
// the bytes of four numbers of depth for each of kLanes columns; activations are four bytes of a
// row, the same for every column.
#pragma once

#include <cstdint>

#include "runtime/simd/vector.h"

#if defined(__AVX2__)
#include <immintrin.h>
#define FIGMENT_MULTIPLIES_INT8
#elif defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#define FIGMENT_MULTIPLIES_INT8
#endif

#ifdef FIGMENT_MULTIPLIES_INT8
namespace figment::simd::FIGMENT_ISA {
namespace {

using IntegerLanes = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

// Each set has its `Sums` of kLanes columns, and kOffset: what activations are less than their
// bytes. kMostRows rows leave the sums of a panel in registers; with few rows an addition waits for
// the one before, so that kFewRowsPanels panels go at once.
//
// NEON without dot products has no place here: it multiplies integers no faster than floats, and
// Winograd's tiles of floats would be chosen, which do not give the portable backend's numbers.
constexpr int kFewRows = 2;

#if defined(__AVX512VNNI__)

constexpr int kMostRows = 8;  // with more, GCC 12 keeps some sums in memory
constexpr int kFewRowsPanels = 4;
constexpr int kOffset = 0;

using Sums = __m512i;
struct Line {
  Sums bytes;
  Line() = default;
  explicit Line(const std::int8_t* from) : bytes(_mm512_loadu_si512(from)) {}
};
struct Activations {
  Sums bytes;
  explicit Activations(std::uint32_t four)
      : bytes(_mm512_set1_epi32(static_cast<std::int32_t>(four))) {}
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const Activations& x, const Line& line) {
  return _mm512_dpbusd_epi32(sums, x.bytes, line.bytes);
}

#elif defined(__AVX2__)

constexpr int kMostRows = 4;
constexpr int kFewRowsPanels = 4;
constexpr int kOffset = 0;

#if defined(__AVX512BW__)
using Sums = __m512i;
#else
using Sums = __m256i;
#endif

// Two products of 16 bits an instruction: bytes 0 and 2 of each four, then 1 and 3.
struct Line {
  Sums even, odd;
  Line() = default;
  explicit Line(const std::int8_t* from) {
#if defined(__AVX512BW__)
    const Sums bytes = _mm512_loadu_si512(from);
    even = _mm512_srai_epi16(_mm512_slli_epi16(bytes, 8), 8);
    odd = _mm512_srai_epi16(bytes, 8);
#else
    const Sums bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    even = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
    odd = _mm256_srai_epi16(bytes, 8);
#endif
  }
};
struct Activations {
  Sums even, odd;
  explicit Activations(std::uint32_t four) {
    const auto evens = static_cast<std::int32_t>(four & 0x00ff00ffU);
    const auto odds = static_cast<std::int32_t>((four >> 8) & 0x00ff00ffU);
#if defined(__AVX512BW__)
    even = _mm512_set1_epi32(evens);
    odd = _mm512_set1_epi32(odds);
#else
    even = _mm256_set1_epi32(evens);
    odd = _mm256_set1_epi32(odds);
#endif
  }
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const Activations& x, const Line& line) {
#if defined(__AVX512BW__)
  sums = _mm512_add_epi32(sums, _mm512_madd_epi16(x.even, line.even));
  return _mm512_add_epi32(sums, _mm512_madd_epi16(x.odd, line.odd));
#else
  sums = _mm256_add_epi32(sums, _mm256_madd_epi16(x.even, line.even));
  return _mm256_add_epi32(sums, _mm256_madd_epi16(x.odd, line.odd));
#endif
}

#else

constexpr int kMostRows = 6;
constexpr int kFewRowsPanels = 1;  // a panel is four vectors
constexpr int kOffset = 128;       // the instruction takes signed bytes alone

using Sums = int32x4_t;
struct Line {
  int8x16_t bytes;
  Line() = default;
  explicit Line(const std::int8_t* from) : bytes(vld1q_s8(from)) {}
};
struct Activations {
  int8x16_t bytes;
  explicit Activations(std::uint32_t four)
      : bytes(vreinterpretq_s8_u32(veorq_u32(vdupq_n_u32(four), vdupq_n_u32(0x80808080U)))) {}
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const Activations& x, const Line& line) {
  return vdotq_s32(sums, x.bytes, line.bytes);
}

#endif

}  // namespace
}  // namespace figment::simd::FIGMENT_ISA
#endif
