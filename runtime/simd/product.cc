// The matrix product with packed weights: panels of columns, each read from memory once for up to
// kMostRows rows, with every sum in a register.
#include "runtime/simd/kernels.h"
#include "runtime/simd/vector.h"

namespace figment::simd::FIGMENT_ISA {

bool multiply_non_zeros(const Product& product);  // product_row.cc

namespace {

// As many sums as there are registers, less those that hold weights.
#if defined(__AVX512F__)
constexpr int kMostRows = 14;
#else
constexpr int kMostRows = 6;
#endif
// So few rows leave an addition waiting for the one before; more panels at once fill the time.
constexpr int kFewRows = 2;
#if defined(__AVX512F__)
constexpr int kFewRowsPanels = 2;
#else
constexpr int kFewRowsPanels = 4;
#endif

template <int kPanels, int kWidth>
struct Panels {
  const float* first;
  std::int64_t floats;  // from panel to panel
  int columns;          // that are wanted, of kPanels * kWidth vectors
};

// kRows rows by kPanels panels of kWidth vectors.
template <int kRows, int kPanels, int kWidth>
void multiply_tile(const Product& product, const float* a, const Panels<kPanels, kWidth>& panels,
                   float* c) {
  constexpr int kSums = kPanels * kWidth;
  const auto weights_at = [&](const float* line, int sum) __attribute__((always_inline)) {
    return load<Vector>(line + sum / kWidth * panels.floats + sum % kWidth * kLanes);
  };
  Vector sums[kRows][kSums];
#pragma GCC unroll 16
  for (int sum = 0; sum < kSums; ++sum) {
    const Vector bias = weights_at(panels.first, sum);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) sums[row][sum] = bias;
  }
  const float* line = panels.first + kWidth * kLanes;
  for (int k = 0; k < product.depth; ++k, line += kWidth * kLanes) {
    Vector weights[kSums];
#pragma GCC unroll 16
    for (int sum = 0; sum < kSums; ++sum) weights[sum] = weights_at(line, sum);
    // Weights that come from beyond the second-level cache: a tenth of the time on a 4x4 map.
    if (kRows > kFewRows) __builtin_prefetch(line + 32 * kWidth * kLanes);
    if (kRows > kFewRows && kWidth > 1) __builtin_prefetch(line + 33 * kWidth * kLanes - kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const float x = a[row * product.a_stride + k];
#pragma GCC unroll 16
      for (int sum = 0; sum < kSums; ++sum) sums[row][sum] += x * weights[sum];
    }
  }
  if (panels.columns == kSums * kLanes) {
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row)
#pragma GCC unroll 16
      for (int sum = 0; sum < kSums; ++sum)
        store(c + row * product.c_stride + sum * kLanes,
              clamp(sums[row][sum], product.low, product.high));
    return;
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    float whole[kSums * kLanes];
#pragma GCC unroll 16
    for (int sum = 0; sum < kSums; ++sum)
      store(whole + sum * kLanes, clamp(sums[row][sum], product.low, product.high));
    for (int column = 0; column < panels.columns; ++column)
      c[row * product.c_stride + column] = whole[column];
  }
}

template <int kRows, int kPanels, int kWidth>
void multiply_rows(const Product& product, int row, int rows, const Panels<kPanels, kWidth>& panels,
                   float* c) {
  if constexpr (kRows > 1) {
    if (rows < kRows)
      return multiply_rows<kRows - 1, kPanels, kWidth>(product, row, rows, panels, c);
  }
  multiply_tile<kRows, kPanels, kWidth>(product, product.a + row * product.a_stride, panels,
                                        c + row * product.c_stride);
}

// Every row by some panels; the rows in tiles as even as can be.
template <int kMost, int kPanels, int kWidth>
void multiply_panels(const Product& product, const Panels<kPanels, kWidth>& panels, float* c) {
  const int tiles = (product.rows + kMost - 1) / kMost;
  for (int tile = 0; tile < tiles; ++tile) {
    const int row = static_cast<int>(std::int64_t{product.rows} * tile / tiles);
    const int end = static_cast<int>(std::int64_t{product.rows} * (tile + 1) / tiles);
    multiply_rows<kMost, kPanels, kWidth>(product, row, end - row, panels, c);
  }
}

}  // namespace

void multiply(const Product& product) {
  if (product.rows == 1 && product.finite_b && multiply_non_zeros(product)) return;
  constexpr int kPanelColumns = kPanelVectors * kLanes;
  const std::int64_t panel_floats = (std::int64_t{product.depth} + 1) * kPanelColumns;
  const float* b = product.b;
  int column = 0;
  if (product.rows <= kFewRows)
    for (; column + kFewRowsPanels * kPanelColumns <= product.columns;
         column += kFewRowsPanels * kPanelColumns, b += kFewRowsPanels * panel_floats)
      multiply_panels<kFewRows, kFewRowsPanels, kPanelVectors>(
          product, {b, panel_floats, kFewRowsPanels * kPanelColumns}, product.c + column);
  for (; column + kPanelColumns <= product.columns; column += kPanelColumns, b += panel_floats)
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
