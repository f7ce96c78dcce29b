// A few rows by a panel of two vectors of columns, with every sum in a register. Compiled once for
// each instruction set (runtime/CMakeLists.txt), as runtime/simd is.
#include "runtime/train/product_tile.h"

#include "runtime/simd/vector.h"

namespace figment::train::FIGMENT_ISA {
namespace {

using simd::FIGMENT_ISA::kLanes;
using simd::FIGMENT_ISA::Vector;

constexpr int kVectors = 2;
constexpr int kColumns = kVectors * kLanes;
static_assert(kColumns <= kMostPanelColumns);

// As many sums as there are registers, less those that hold a line of the panel. The portable loops
// are there for every machine, and each number of rows is code of its own.
#if defined(FIGMENT_MOST_ROWS)
constexpr int kMostRows = FIGMENT_MOST_ROWS;
#elif defined(__AVX512F__)
constexpr int kMostRows = 14;
#elif defined(__aarch64__)
constexpr int kMostRows = 12;
#else
constexpr int kMostRows = 6;
#endif

Vector load(const float* from) { return simd::FIGMENT_ISA::load<Vector>(from); }

template <int kRows>
void multiply_rows(const Tile& tile, const float* a, float* c) {
  Vector sums[kRows][kVectors] = {};
  const float* line = tile.panel;
  for (int k = 0; k < tile.depth; ++k, line += kColumns) {
    const Vector left = load(line);
    const Vector right = load(line + kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const float x = a[row * tile.a_row + k * tile.a_depth];
      sums[row][0] += x * left;
      sums[row][1] += x * right;
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    float* to = c + row * tile.c_stride;
    if (tile.columns == kColumns) {
      if (tile.add) {
        sums[row][0] += load(to);
        sums[row][1] += load(to + kLanes);
      }
      simd::FIGMENT_ISA::store(to, sums[row][0]);
      simd::FIGMENT_ISA::store(to + kLanes, sums[row][1]);
      continue;
    }
    float whole[kColumns];
    simd::FIGMENT_ISA::store(whole, sums[row][0]);
    simd::FIGMENT_ISA::store(whole + kLanes, sums[row][1]);
    for (int column = 0; column < tile.columns; ++column)
      to[column] = tile.add ? to[column] + whole[column] : whole[column];
  }
}

template <int kRows>
void multiply_last(const Tile& tile, int rows, const float* a, float* c) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_last<kRows - 1>(tile, rows, a, c);
  }
  multiply_rows<kRows>(tile, a, c);
}

// Rows in parts as even as can be.
void multiply_tile(const Tile& tile) {
  const int parts = (tile.rows + kMostRows - 1) / kMostRows;
  for (int part = 0; part < parts; ++part) {
    const int row = static_cast<int>(std::int64_t{tile.rows} * part / parts);
    const int end = static_cast<int>(std::int64_t{tile.rows} * (part + 1) / parts);
    multiply_last<kMostRows>(tile, end - row, tile.a + row * tile.a_row,
                             tile.c + row * tile.c_stride);
  }
}

}  // namespace

// pixel_loops.cc
void add_pixels(const PixelRow& row);
void multiply_add_pixels(const PixelRow& row);
void sum_products(const PixelRow& row);

extern const Loops kLoops;
const Loops kLoops{kColumns, multiply_tile, add_pixels, multiply_add_pixels, sum_products};

}  // namespace figment::train::FIGMENT_ISA
