// The matrix product of one row that is zero in many places, as a layer's input is behind a ReLU:
// the time goes into reading the weights, and those of a zero are not read.
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "runtime/simd/kernels.h"
#include "runtime/simd/vector.h"

namespace figment::simd::FIGMENT_ISA {
namespace {

// Of a deeper row the list would not fit on the stack.
constexpr int kMostDepth = 4096;
// One number in so many must be zero: measured for AVX2, where the search is slowest; with AVX-512
// it pays from one in eight on.
constexpr int kLeastShare = 4;
// Enough sums that none waits for its addition before.
constexpr int kMostPanels = 4;
constexpr int kPanelColumns = kPanelVectors * kLanes;

int count_zeros(const float* row, int depth) {
  int count = 0;
  for (int k = 0; k < depth; ++k) count += row[k] == 0 ? 1 : 0;
  return count;
}

// Where the row is not zero, in order; NaN is not. Vectors write past the last one, up to kLanes.
struct NonZeros {
  int count;
  int at[kMostDepth + kLanes];
};

void find_non_zeros(const float* row, int depth, NonZeros& found) {
  int count = 0;
  int k = 0;
#ifdef __AVX512F__
  __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; k + kLanes <= depth; k += kLanes) {
    const __mmask16 keep =
        _mm512_cmp_ps_mask(_mm512_loadu_ps(row + k), _mm512_setzero_ps(), _CMP_NEQ_UQ);
    _mm512_storeu_si512(found.at + count, _mm512_maskz_compress_epi32(keep, numbers));
    numbers = _mm512_add_epi32(numbers, _mm512_set1_epi32(kLanes));
    count += __builtin_popcount(keep);
  }
#endif
  for (; k < depth; ++k) {
    found.at[count] = k;
    count += row[k] == 0 ? 0 : 1;
  }
  found.count = count;
}

void store_some(const Vector& value, float* c, int columns) {
  if (columns >= kLanes) return store(c, value);
  float whole[kLanes];
  store(whole, value);
  for (int column = 0; column < columns; ++column) c[column] = whole[column];
}

// kPanels panels side by side and, where `kNarrow`, the last one of a single vector behind them: on
// its own it would wait for every addition. `columns` are wanted of them.
template <int kPanels, bool kNarrow>
void multiply_tile(const Product& product, const NonZeros& x, const float* first, float* c,
                   int columns) {
  constexpr int kWide = kPanels * kPanelVectors;
  constexpr int kSums = kWide + (kNarrow ? 1 : 0);
  const std::int64_t panel_floats = (std::int64_t{product.depth} + 1) * kPanelColumns;
  // Line 0 has the biases.
  const auto weights_at = [&](std::int64_t line, int sum) __attribute__((always_inline)) {
    return load<Vector>(sum == kWide ? first + kPanels * panel_floats + line * kLanes
                                     : first + sum / kPanelVectors * panel_floats +
                                           line * kPanelColumns + sum % kPanelVectors * kLanes);
  };
  Vector sums[kSums];
#pragma GCC unroll 32
  for (int sum = 0; sum < kSums; ++sum) sums[sum] = weights_at(0, sum);
  for (int i = 0; i < x.count; ++i) {
    const int k = x.at[i];
    const float value = product.a[k];
#pragma GCC unroll 32
    for (int sum = 0; sum < kSums; ++sum) sums[sum] += value * weights_at(k + 1, sum);
  }
#pragma GCC unroll 32
  for (int sum = 0; sum < kSums; ++sum)
    store_some(clamp(sums[sum], product.low, product.high), c + sum * kLanes,
               columns - sum * kLanes);
}

template <int kPanels>
void multiply_panels(const Product& product, const NonZeros& x, int panels, bool narrow,
                     const float* first, float* c, int columns) {
  if constexpr (kPanels > 0) {
    if (panels < kPanels)
      return multiply_panels<kPanels - 1>(product, x, panels, narrow, first, c, columns);
  }
  if (narrow) return multiply_tile<kPanels, true>(product, x, first, c, columns);
  if constexpr (kPanels > 0) multiply_tile<kPanels, false>(product, x, first, c, columns);
}

}  // namespace

// Whether it has multiplied: not where there are too few zeros to make good the search for them.
// The bits are those of multiply(), but for the sign of a zero.
bool multiply_non_zeros(const Product& product) {
  if (product.depth > kMostDepth || product.columns <= kLanes ||
      kLeastShare * count_zeros(product.a, product.depth) < product.depth)
    return false;
  NonZeros x;
  find_non_zeros(product.a, product.depth, x);
  const bool narrow =
      product.columns % kPanelColumns != 0 && product.columns % kPanelColumns <= kLanes;
  const int panels = (product.columns + (narrow ? 0 : kPanelColumns - 1)) / kPanelColumns;
  const int tiles = panels == 0 ? 1 : (panels + kMostPanels - 1) / kMostPanels;
  for (int tile = 0; tile < tiles; ++tile) {
    const int panel = panels * tile / tiles;
    const int end = panels * (tile + 1) / tiles;
    const bool last = tile + 1 == tiles;
    const int column = panel * kPanelColumns;
    multiply_panels<kMostPanels>(product, x, end - panel, last && narrow,
                                 product.b + (std::int64_t{product.depth} + 1) * column,
                                 product.c + column,
                                 last ? product.columns - column : (end - panel) * kPanelColumns);
  }
  return true;
}

}  // namespace figment::simd::FIGMENT_ISA
