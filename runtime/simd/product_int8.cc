// The matrix product with packed int8 weights. Its sums are exact, and the few steps in float32
// around them are the definition's (sums_int8.h), so it gives the portable backend's bits.
#include "runtime/simd/sums_int8.h"
#include "runtime/simd/tiles_int8.h"

#ifdef __AVX2__
#include <immintrin.h>

namespace figment::simd::FIGMENT_ISA {
namespace {

// Sums of the products of four bytes each: `kLanes` columns. A line of weights has the bytes of
// four numbers of depth for each of them.
#if defined(__AVX512BW__)
using Integers = __m512i;
#else
using Integers = __m256i;
#endif

#if defined(__AVX512VNNI__)

constexpr int kMostRows = 8;  // with more, GCC 12 keeps some sums in memory

// Weights and activations as the instruction takes them.
struct Line {
  Integers bytes;
  explicit Line(const std::int8_t* from) : bytes(_mm512_loadu_si512(from)) {}
};
struct Activations {
  Integers bytes;
  explicit Activations(std::uint32_t four)
      : bytes(_mm512_set1_epi32(static_cast<std::int32_t>(four))) {}
};
[[gnu::always_inline]] inline Integers add_products(Integers sums, const Activations& x,
                                                    const Line& line) {
  return _mm512_dpbusd_epi32(sums, x.bytes, line.bytes);
}

#else

constexpr int kMostRows = 4;

// Two products of 16 bits an instruction: bytes 0 and 2 of each four, then 1 and 3.
struct Line {
  Integers even, odd;
  explicit Line(const std::int8_t* from) {
#if defined(__AVX512BW__)
    const Integers bytes = _mm512_loadu_si512(from);
    even = _mm512_srai_epi16(_mm512_slli_epi16(bytes, 8), 8);
    odd = _mm512_srai_epi16(bytes, 8);
#else
    const Integers bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    even = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
    odd = _mm256_srai_epi16(bytes, 8);
#endif
  }
};
struct Activations {
  Integers even, odd;
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
[[gnu::always_inline]] inline Integers add_products(Integers sums, const Activations& x,
                                                    const Line& line) {
#if defined(__AVX512BW__)
  sums = _mm512_add_epi32(sums, _mm512_madd_epi16(x.even, line.even));
  return _mm512_add_epi32(sums, _mm512_madd_epi16(x.odd, line.odd));
#else
  sums = _mm256_add_epi32(sums, _mm256_madd_epi16(x.even, line.even));
  return _mm256_add_epi32(sums, _mm256_madd_epi16(x.odd, line.odd));
#endif
}

#endif

// Few rows leave an addition waiting for the one before: more panels at once.
constexpr int kFewRows = 2;
constexpr int kFewRowsPanels = 4;
#ifdef __AMX_INT8__
// Up to so many rows the weights are read no faster than they are multiplied without tiles.
constexpr int kMostTilelessRows = 4;
#endif

[[gnu::always_inline]] inline std::uint32_t four_bytes(const std::uint8_t* from) {
  std::uint32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

struct Panels {
  const std::byte* first;
  std::int64_t bytes;  // from panel to panel
  int columns;         // that are wanted
};

// kRows rows by kPanels panels of kWidth vectors; a panel is packed as packing.h says.
template <int kRows, int kPanels, int kWidth>
void multiply_tile(const ProductInt8& product, int row, const Panels& panels, float* c) {
  constexpr int kSums = kPanels * kWidth;
  constexpr int kLineBytes = kWidth * kLanes * 4;
  static_assert(kWidth <= 2);
  const std::uint8_t* a = product.a + row * product.a_stride;
  Integers sums[kRows][kSums] = {};
  const std::byte* line = panels.first + 3 * kLineBytes;
  for (int quad = 0; quad < product.quads; ++quad, line += kLineBytes)
#pragma GCC unroll 4
    for (int panel = 0; panel < kPanels; ++panel) {
      const auto* bytes = reinterpret_cast<const std::int8_t*>(line + panel * panels.bytes);
      const Line weights[2] = {Line(bytes), Line(bytes + (kWidth - 1) * kLanes * 4)};
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Activations x(four_bytes(a + i * product.a_stride + quad * 4));
#pragma GCC unroll 4
        for (int vector = 0; vector < kWidth; ++vector) {
          Integers& sum = sums[i][panel * kWidth + vector];
          sum = add_products(sum, x, weights[vector]);
        }
      }
    }
  // The sum of columns `sum` in row i, as float32.
  const auto finish = [&](int i, int sum) __attribute__((always_inline)) {
    const auto* heads = reinterpret_cast<const float*>(panels.first + sum / kWidth * panels.bytes);
    const ColumnHeads head(heads + sum % kWidth * kLanes, kWidth * kLanes);
    const Vector value = scale_sums((IntegerLanes)sums[i][sum], product.steps[row + i],
                                    product.least[row + i], head);
    return clamp(value + head.biases, product.low, product.high);
  };
  const bool whole = panels.columns == kSums * kLanes;
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* to = c + (row + i) * product.c_stride;
    if (whole) {
#pragma GCC unroll 16
      for (int sum = 0; sum < kSums; ++sum) store(to + sum * kLanes, finish(i, sum));
      continue;
    }
    float some[kSums * kLanes];
#pragma GCC unroll 16
    for (int sum = 0; sum < kSums; ++sum) store(some + sum * kLanes, finish(i, sum));
    for (int column = 0; column < panels.columns; ++column) to[column] = some[column];
  }
}

template <int kRows, int kPanels, int kWidth>
void multiply_rows(const ProductInt8& product, int row, int rows, const Panels& panels, float* c) {
  if constexpr (kRows > 1) {
    if (rows < kRows)
      return multiply_rows<kRows - 1, kPanels, kWidth>(product, row, rows, panels, c);
  }
  multiply_tile<kRows, kPanels, kWidth>(product, row, panels, c);
}

// Every row by some panels; the rows in tiles as even as can be.
template <int kMost, int kPanels, int kWidth>
void multiply_panels(const ProductInt8& product, const Panels& panels, float* c) {
  const int tiles = (product.rows + kMost - 1) / kMost;
  for (int tile = 0; tile < tiles; ++tile) {
    const int row = static_cast<int>(std::int64_t{product.rows} * tile / tiles);
    const int end = static_cast<int>(std::int64_t{product.rows} * (tile + 1) / tiles);
    multiply_rows<kMost, kPanels, kWidth>(product, row, end - row, panels, c);
  }
}

}  // namespace

void multiply_int8(const ProductInt8& product) {
#ifdef __AMX_INT8__
  if (product.rows > kMostTilelessRows) {
    const std::int64_t here = 0;
    return multiply_taps_int8({product, 1, &here, &product.b});
  }
#endif
  constexpr int kPanelColumns = kPanelVectors * kLanes;
  const std::int64_t panel_bytes = (std::int64_t{product.quads} + 3) * kPanelColumns * 4;
  const std::byte* b = product.b;
  int column = 0;
  if (product.rows <= kFewRows)
    for (; column + kFewRowsPanels * kPanelColumns <= product.columns;
         column += kFewRowsPanels * kPanelColumns, b += kFewRowsPanels * panel_bytes)
      multiply_panels<kFewRows, kFewRowsPanels, kPanelVectors>(
          product, {b, panel_bytes, kFewRowsPanels * kPanelColumns}, product.c + column);
  for (; column + kPanelColumns <= product.columns; column += kPanelColumns, b += panel_bytes)
    multiply_panels<kMostRows, 1, kPanelVectors>(product, {b, 0, kPanelColumns},
                                                 product.c + column);
  const int left = product.columns - column;
  if (left == 0) return;
  if (left <= kLanes)
    multiply_panels<kMostRows, 1, 1>(product, {b, 0, left}, product.c + column);
  else
    multiply_panels<kMostRows, 1, kPanelVectors>(product, {b, 0, left}, product.c + column);
}

}  // namespace figment::simd::FIGMENT_ISA

#endif
