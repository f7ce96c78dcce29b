// The matrix product with packed int8 weights. Its sums are exact, and the few steps in float32
// around them are the definition's (sums_int8.h), so it gives the portable backend's bits for the
// weights as they are packed (kShortWeights).
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

// What becomes of the sums of one vector of columns, in front of which `heads` stands with `line`
// floats from line to line (packing.h): of rows that are quantized between their extremes,
struct AnyRows {
  static Sums start(const float* /*heads*/, int /*line*/) { return Sums{}; }
  static Vector finish(const ProductInt8& product, int row, Sums sums, const float* heads,
                       int line) {
    const ColumnHeads head(heads, line);
    const Vector value =
        scale_sums((IntegerLanes)sums, product.steps[row], product.least[row] + kOffset, head);
    return clamp(value + head.biases, product.low, product.high);
  }
};

#ifdef FIGMENT_MULTIPLIES_CENTERED
// and of centered ones.
struct CenteredOnes {
  static Sums start(const float* heads, int line) {
    return (Sums)((kOffset - kCenter) * (IntegerLanes)load<Vector>(heads + 2 * line));
  }
  static Vector finish(const ProductInt8& product, int row, Sums sums, const float* heads,
                       int /*line*/) {
    return __builtin_convertvector((IntegerLanes)sums, Vector) *
           (product.steps[row] * load<Vector>(heads));
  }
};
#endif

struct Panels {
  const std::byte* first;
  std::int64_t bytes;  // from panel to panel
  int columns;         // that are wanted
};

// kRows rows by kPanels panels of kWidth vectors; a panel is packed as packing.h says.
template <typename Kind, int kRows, int kPanels, int kWidth>
void multiply_tile(const ProductInt8& product, int row, const Panels& panels, float* c) {
  constexpr int kSums = kPanels * kWidth;
  constexpr int kLineBytes = kWidth * kLanes * 4;
  constexpr int kCacheLine = 64;
  constexpr int kAhead = 2048;
  const std::uint8_t* a = product.a + row * product.a_stride;
  const auto heads_at = [&](int sum) __attribute__((always_inline)) {
    return reinterpret_cast<const float*>(panels.first + sum / kWidth * panels.bytes) +
           sum % kWidth * kLanes;
  };
  Sums sums[kRows][kSums];
#pragma GCC unroll 16
  for (int sum = 0; sum < kSums; ++sum) {
    const Sums start = Kind::start(heads_at(sum), kWidth * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) sums[i][sum] = start;
  }
  const std::byte* line = panels.first + 3 * kLineBytes;
  for (int quad = 0; quad < product.quads; quad += kQuads, line += kQuads * kLineBytes)
#pragma GCC unroll 4
    for (int panel = 0; panel < kPanels; ++panel) {
      const auto* bytes = reinterpret_cast<const std::int8_t*>(line + panel * panels.bytes);
      // Weights that come from beyond the second-level cache: a twentieth of the time.
      if (kRows > kFewRows)
        for (int ahead = 0; ahead < kQuads * kLineBytes; ahead += kCacheLine)
          __builtin_prefetch(bytes + kAhead + ahead);
      Lines weights[kWidth];
#pragma GCC unroll 4
      for (int vector = 0; vector < kWidth; ++vector)
        weights[vector] = Lines(bytes + vector * kLanes * 4, kLineBytes);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Activations x(a + i * product.a_stride + quad * 4);
#pragma GCC unroll 4
        for (int vector = 0; vector < kWidth; ++vector) {
          Sums& sum = sums[i][panel * kWidth + vector];
          sum = add_products(sum, x, weights[vector]);
        }
      }
    }
  // The sum of columns `sum` in row i, as float32.
  const auto finish = [&](int i, int sum) __attribute__((always_inline)) {
    return Kind::finish(product, row + i, sums[i][sum], heads_at(sum), kWidth * kLanes);
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

template <typename Kind, int kRows, int kPanels, int kWidth>
void multiply_rows(const ProductInt8& product, int row, int rows, const Panels& panels, float* c) {
  if constexpr (kRows > 1) {
    if (rows < kRows)
      return multiply_rows<Kind, kRows - 1, kPanels, kWidth>(product, row, rows, panels, c);
  }
  multiply_tile<Kind, kRows, kPanels, kWidth>(product, row, panels, c);
}

// Every row by some panels; the rows in tiles as even as can be.
template <typename Kind, int kMost, int kPanels, int kWidth>
void multiply_panels(const ProductInt8& product, const Panels& panels, float* c) {
  const int tiles = (product.rows + kMost - 1) / kMost;
  for (int tile = 0; tile < tiles; ++tile) {
    const int row = static_cast<int>(std::int64_t{product.rows} * tile / tiles);
    const int end = static_cast<int>(std::int64_t{product.rows} * (tile + 1) / tiles);
    multiply_rows<Kind, kMost, kPanels, kWidth>(product, row, end - row, panels, c);
  }
}

template <typename Kind>
void multiply_all(const ProductInt8& product) {
  constexpr int kPanelColumns = kPanelVectors * kLanes;
  const std::int64_t panel_bytes = (std::int64_t{product.quads} + 3) * kPanelColumns * 4;
  const std::byte* b = product.b;
  int column = 0;
  if (product.rows <= kFewRows)
    for (; column + kFewRowsPanels * kPanelColumns <= product.columns;
         column += kFewRowsPanels * kPanelColumns, b += kFewRowsPanels * panel_bytes)
      multiply_panels<Kind, kFewRows, kFewRowsPanels, kPanelVectors>(
          product, {b, panel_bytes, kFewRowsPanels * kPanelColumns}, product.c + column);
  for (; column + kPanelColumns <= product.columns; column += kPanelColumns, b += panel_bytes)
    multiply_panels<Kind, kMostRows, 1, kPanelVectors>(product, {b, 0, kPanelColumns},
                                                       product.c + column);
  const int left = product.columns - column;
  if (left == 0) return;
  if (left <= kLanes)
    multiply_panels<Kind, kMostRows, 1, 1>(product, {b, 0, left}, product.c + column);
  else
    multiply_panels<Kind, kMostRows, 1, kPanelVectors>(product, {b, 0, left}, product.c + column);
}

}  // namespace

void multiply_int8(const ProductInt8& product) {
#ifdef __AMX_INT8__
  if (product.rows > kMostTilelessRows) {
    const std::int64_t here = 0;
    return multiply_taps_int8({product, 1, &here, &product.b});
  }
#endif
  multiply_all<AnyRows>(product);
}

#ifdef FIGMENT_MULTIPLIES_CENTERED
void multiply_centered(const ProductInt8& product) { multiply_all<CenteredOnes>(product); }
#endif

}  // namespace figment::simd::FIGMENT_ISA

#endif
