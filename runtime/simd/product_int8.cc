// The matrix product with packed int8 weights. Its sums are exact, and the few steps in float32
// around them are the definition's (sums_int8.h), so it gives the portable backend's bits.
#include "runtime/simd/dot_products.h"
#include "runtime/simd/sums_int8.h"
#include "runtime/simd/tiles_int8.h"

#ifdef FIGMENT_MULTIPLIES_INT8

namespace figment::simd::FIGMENT_ISA {
namespace {

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
  const std::uint8_t* a = product.a + row * product.a_stride;
  Sums sums[kRows][kSums] = {};
  const std::byte* line = panels.first + 3 * kLineBytes;
  for (int quad = 0; quad < product.quads; ++quad, line += kLineBytes)
#pragma GCC unroll 4
    for (int panel = 0; panel < kPanels; ++panel) {
      const auto* bytes = reinterpret_cast<const std::int8_t*>(line + panel * panels.bytes);
      Line weights[kWidth];
#pragma GCC unroll 4
      for (int vector = 0; vector < kWidth; ++vector)
        weights[vector] = Line(bytes + vector * kLanes * 4);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Activations x(four_bytes(a + i * product.a_stride + quad * 4));
#pragma GCC unroll 4
        for (int vector = 0; vector < kWidth; ++vector) {
          Sums& sum = sums[i][panel * kWidth + vector];
          sum = add_products(sum, x, weights[vector]);
        }
      }
    }
  // The sum of columns `sum` in row i, as float32.
  const auto finish = [&](int i, int sum) __attribute__((always_inline)) {
    const auto* heads = reinterpret_cast<const float*>(panels.first + sum / kWidth * panels.bytes);
    const ColumnHeads head(heads + sum % kWidth * kLanes, kWidth * kLanes);
    const Vector value = scale_sums((IntegerLanes)sums[i][sum], product.steps[row + i],
                                    product.least[row + i] + kOffset, head);
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
