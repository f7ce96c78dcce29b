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

[[gnu::always_inline]] inline std::uint32_t four_bytes(const std::uint8_t* from) {
  std::uint32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

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
#define FIGMENT_INTEGERS(name) _mm512_##name
[[gnu::always_inline]] inline Sums load_bytes(const std::int8_t* from) {
  return _mm512_loadu_si512(from);
}
#else
using Sums = __m256i;
#define FIGMENT_INTEGERS(name) _mm256_##name
[[gnu::always_inline]] inline Sums load_bytes(const std::int8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
#endif

[[gnu::always_inline]] inline Sums spread(std::uint32_t four) {
  return FIGMENT_INTEGERS(set1_epi32)(static_cast<std::int32_t>(four));
}

// Two products of 16 bits an instruction: bytes 0 and 2 of each four, then 1 and 3.
struct Line {
  Sums even, odd;
  Line() = default;
  explicit Line(const std::int8_t* from) {
    const Sums bytes = load_bytes(from);
    even = FIGMENT_INTEGERS(srai_epi16)(FIGMENT_INTEGERS(slli_epi16)(bytes, 8), 8);
    odd = FIGMENT_INTEGERS(srai_epi16)(bytes, 8);
  }
};
struct Activations {
  Sums even, odd;
  explicit Activations(std::uint32_t four)
      : even(spread(four & 0x00ff00ffU)), odd(spread((four >> 8) & 0x00ff00ffU)) {}
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const Activations& x, const Line& line) {
  sums = FIGMENT_INTEGERS(add_epi32)(sums, FIGMENT_INTEGERS(madd_epi16)(x.even, line.even));
  return FIGMENT_INTEGERS(add_epi32)(sums, FIGMENT_INTEGERS(madd_epi16)(x.odd, line.odd));
}

// Four products of 8 bits an instruction, of which two lines' are added up in 16 bits.
#define FIGMENT_ADDS_SHORT
constexpr int kCenteredQuads = 2;

struct ShortLines {
  Sums first, second;
  ShortLines() = default;
  ShortLines(const std::int8_t* from, int line)
      : first(load_bytes(from)), second(load_bytes(from + line)) {}
};
struct ShortActivations {
  Sums first, second;
  explicit ShortActivations(const std::uint8_t* from)
      : first(spread(four_bytes(from))), second(spread(four_bytes(from + 4))) {}
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const ShortActivations& x,
                                                const ShortLines& lines) {
  const Sums pairs =
      FIGMENT_INTEGERS(add_epi16)(FIGMENT_INTEGERS(maddubs_epi16)(x.first, lines.first),
                                  FIGMENT_INTEGERS(maddubs_epi16)(x.second, lines.second));
  const Sums one = FIGMENT_INTEGERS(set1_epi16)(1);
  return FIGMENT_INTEGERS(add_epi32)(sums, FIGMENT_INTEGERS(madd_epi16)(pairs, one));
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

// On tile registers, products of every tap are faster than Winograd's.
#ifndef __AMX_INT8__
#define FIGMENT_MULTIPLIES_CENTERED

// What a byte of a centered row (kernels.h) has too much.
constexpr int kCenter = 128;

#ifndef FIGMENT_ADDS_SHORT
constexpr int kCenteredQuads = 1;
#endif
#endif

}  // namespace
}  // namespace figment::simd::FIGMENT_ISA
#endif
