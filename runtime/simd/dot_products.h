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
// the one before, so that kFewRowsPanels panels go at once. A step takes kQuads lines.
//
// NEON without dot products has no place here: it multiplies integers no faster than floats, and
// Winograd's tiles of floats would be chosen, which do not give the portable backend's numbers.
constexpr int kFewRows = 2;

#if defined(__AVX512VNNI__)

constexpr int kQuads = 1;
constexpr int kMostRows = 8;  // with more, GCC 12 keeps some sums in memory
constexpr int kFewRowsPanels = 4;
constexpr int kOffset = 0;

using Sums = __m512i;
struct Lines {
  Sums bytes;
  Lines() = default;
  Lines(const std::int8_t* from, int /*line*/) : bytes(_mm512_loadu_si512(from)) {}
};
struct Activations {
  Sums bytes;
  explicit Activations(const std::uint8_t* from)
      : bytes(_mm512_set1_epi32(static_cast<std::int32_t>(four_bytes(from)))) {}
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const Activations& x,
                                                const Lines& lines) {
  return _mm512_dpbusd_epi32(sums, x.bytes, lines.bytes);
}

#elif defined(__AVX2__)

// An instruction multiplies four bytes of each column and adds them up by twos in 16 bits; two
// lines' are added up there before they become 32, which not all weights bear (kShortWeights).
// Products of 16 bits would bear them, and take more than twice the time.
constexpr int kQuads = 2;
constexpr int kFewRowsPanels = 4;
constexpr int kOffset = 0;

#if defined(__AVX512BW__)
constexpr int kMostRows = 6;
using Sums = __m512i;
#define FIGMENT_INTEGERS(name) _mm512_##name
[[gnu::always_inline]] inline Sums load_bytes(const std::int8_t* from) {
  return _mm512_loadu_si512(from);
}
#else
constexpr int kMostRows = 3;
using Sums = __m256i;
#define FIGMENT_INTEGERS(name) _mm256_##name
[[gnu::always_inline]] inline Sums load_bytes(const std::int8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
#endif

struct Lines {
  Sums first, second;
  Lines() = default;
  Lines(const std::int8_t* from, int line)
      : first(load_bytes(from)), second(load_bytes(from + line)) {}
};
struct Activations {
  Sums first, second;
  explicit Activations(const std::uint8_t* from)
      : first(spread(four_bytes(from))), second(spread(four_bytes(from + 4))) {}

 private:
  [[gnu::always_inline]] static Sums spread(std::uint32_t four) {
    return FIGMENT_INTEGERS(set1_epi32)(static_cast<std::int32_t>(four));
  }
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const Activations& x,
                                                const Lines& lines) {
  const Sums pairs =
      FIGMENT_INTEGERS(add_epi16)(FIGMENT_INTEGERS(maddubs_epi16)(x.first, lines.first),
                                  FIGMENT_INTEGERS(maddubs_epi16)(x.second, lines.second));
  const Sums one = FIGMENT_INTEGERS(set1_epi16)(1);
  return FIGMENT_INTEGERS(add_epi32)(sums, FIGMENT_INTEGERS(madd_epi16)(pairs, one));
}

#else

constexpr int kQuads = 1;
constexpr int kMostRows = 6;
constexpr int kFewRowsPanels = 1;  // a panel is four vectors
constexpr int kOffset = 128;       // the instruction takes signed bytes alone

using Sums = int32x4_t;
struct Lines {
  int8x16_t bytes;
  Lines() = default;
  Lines(const std::int8_t* from, int /*line*/) : bytes(vld1q_s8(from)) {}
};
struct Activations {
  int8x16_t bytes;
  explicit Activations(const std::uint8_t* from)
      : bytes(vreinterpretq_s8_u32(
            veorq_u32(vdupq_n_u32(four_bytes(from)), vdupq_n_u32(0x80808080U)))) {}
};
[[gnu::always_inline]] inline Sums add_products(Sums sums, const Activations& x,
                                                const Lines& lines) {
  return vdotq_s32(sums, x.bytes, lines.bytes);
}

#endif

// On tile registers, products of every tap are faster than Winograd's.
#ifndef __AMX_INT8__
#define FIGMENT_MULTIPLIES_CENTERED

// What a byte of a centered row (kernels.h) has too much.
constexpr int kCenter = 128;
#endif

}  // namespace
}  // namespace figment::simd::FIGMENT_ISA
#endif
