// The product with int8 weights on tile registers (AMX): 16 rows of 64 bytes, multiplied by 16
// columns in one instruction. The sums are those of product_int8.cc, to the bit.
#include "runtime/simd/tiles_int8.h"

#ifdef __AMX_INT8__
#include <immintrin.h>

#include "runtime/simd/sums_int8.h"

namespace figment::simd::FIGMENT_ISA {
namespace {

constexpr int kTileRows = 16;
constexpr int kTileBytes = 64;  // of a row
constexpr int kTileQuads = kTileBytes / 4;

// Tile registers 0 to 3 are sums [row tile * 2 + vector of columns], 4 and 5 the two row tiles of
// activations, 6 and 7 weights; as the processor reads it.
struct alignas(64) Configuration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  Configuration(int upper_rows, int lower_rows) {
    const int counts[8] = {upper_rows, upper_rows, lower_rows, lower_rows,
                           upper_rows, lower_rows, kTileRows,  kTileRows};
    for (int tile = 0; tile < 8; ++tile) {
      rows[tile] = static_cast<std::uint8_t>(counts[tile]);
      row_bytes[tile] = counts[tile] > 0 ? kTileBytes : 0;
    }
  }

  void load() const {
    // GCC 12 takes the instruction for one that reads eight bytes.
    asm volatile("" : : "r"(this) : "memory");
    _tile_loadconfig(this);
  }
};

// Up to two row tiles of one tap by one panel of its weights.
struct Block {
  int row, rows;  // of c
  int column, columns;
  int tap;
  std::int64_t first;  // row of integers
  const std::byte* panel;
};

// Sums of a block; rows are as long for one vector of columns as for two.
using TileSums = std::int32_t[2 * kTileRows][kPanelVectors * kLanes];
// The same of all taps so far, as numbers.
using TileTotals = float[2 * kTileRows][kPanelVectors * kLanes];

// kRowTiles row tiles by kWidth vectors.
template <int kRowTiles, int kWidth>
void multiply_tiles(const ProductInt8& product, const Block& block, TileSums& sums) {
  constexpr int kLineBytes = kWidth * kTileBytes;
  const std::uint8_t* upper = product.a + block.first * product.a_stride;
  const std::uint8_t* lower = upper + kTileRows * product.a_stride;
  const std::byte* line = block.panel + 3 * kLineBytes;
  _tile_zero(0);
  if constexpr (kWidth == 2) _tile_zero(1);
  if constexpr (kRowTiles == 2) _tile_zero(2);
  if constexpr (kRowTiles == 2 && kWidth == 2) _tile_zero(3);
  for (int quad = 0; quad < product.quads; quad += kTileQuads) {
    _tile_loadd(6, line, kLineBytes);
    if constexpr (kWidth == 2) _tile_loadd(7, line + kTileBytes, kLineBytes);
    _tile_loadd(4, upper, product.a_stride);
    _tile_dpbusd(0, 4, 6);
    if constexpr (kWidth == 2) _tile_dpbusd(1, 4, 7);
    if constexpr (kRowTiles == 2) {
      _tile_loadd(5, lower, product.a_stride);
      _tile_dpbusd(2, 5, 6);
      if constexpr (kWidth == 2) _tile_dpbusd(3, 5, 7);
    }
    upper += kTileBytes;
    lower += kTileBytes;
    line += kTileQuads * kLineBytes;
  }
  _tile_stored(0, sums[0], sizeof sums[0]);
  if constexpr (kWidth == 2) _tile_stored(1, sums[0] + kLanes, sizeof sums[0]);
  if constexpr (kRowTiles == 2) _tile_stored(2, sums[kTileRows], sizeof sums[0]);
  if constexpr (kRowTiles == 2 && kWidth == 2)
    _tile_stored(3, sums[kTileRows] + kLanes, sizeof sums[0]);
}

template <int kWidth>
void multiply_block(const ProductInt8& product, const Block& block, TileSums& sums) {
  if (block.rows > kTileRows)
    multiply_tiles<2, kWidth>(product, block, sums);
  else
    multiply_tiles<1, kWidth>(product, block, sums);
}

// Adds a block's sums to the totals of the taps before, if there are any, and writes those of the
// last tap.
template <bool kIsFirst, bool kIsLast>
void finish_tap(const TapsInt8& task, const Block& block, const TileSums& sums,
                TileTotals& totals) {
  const ProductInt8& product = task.product;
  const float low = product.low;
  const float high = product.high;
  const std::int64_t stride = product.c_stride;
  const float* steps = product.steps + block.first;
  const std::int32_t* least = product.least + block.first;
  const int line = block.columns <= kLanes ? kLanes : kPanelVectors * kLanes;
  const std::byte* biases = task.weights[0] + (block.panel - task.weights[block.tap]);
  for (int at = 0; at < block.columns; at += kLanes) {
    const int columns = block.columns - at;
    const auto wanted = static_cast<__mmask16>(columns < kLanes ? (1U << columns) - 1 : 0xffffU);
    const ColumnHeads heads(reinterpret_cast<const float*>(block.panel) + at, line);
    const Vector bias = load<Vector>(reinterpret_cast<const float*>(biases) + line + at);
    float* to = product.c + block.row * stride + block.column + at;
    for (int i = 0; i < block.rows; ++i, to += stride) {
      const auto exact = (IntegerLanes)_mm512_load_si512(sums[i] + at);
      Vector value = scale_sums(exact, steps[i], least[i], heads);
      if constexpr (!kIsFirst) value = load<Vector>(totals[i] + at) + value;
      if constexpr (kIsLast)
        _mm512_mask_storeu_ps(to, wanted, clamp(value + bias, low, high));
      else
        store(totals[i] + at, value);
    }
  }
}

void finish_block(const TapsInt8& task, const Block& block, const TileSums& sums,
                  TileTotals& totals) {
  const bool is_last = block.tap == task.taps - 1;
  if (block.tap == 0 && is_last) return finish_tap<true, true>(task, block, sums, totals);
  if (block.tap == 0) return finish_tap<true, false>(task, block, sums, totals);
  if (is_last) return finish_tap<false, true>(task, block, sums, totals);
  finish_tap<false, false>(task, block, sums, totals);
}

// Rows `first` to before `end` by every panel. While the tiles of one block are multiplied, the
// block before is finished.
void multiply_rows(const TapsInt8& task, int first, int end) {
  constexpr int kPanelColumns = kPanelVectors * kLanes;
  const ProductInt8& product = task.product;
  const std::int64_t column_bytes = (std::int64_t{product.quads} + 3) * 4;
  alignas(64) TileSums sums[2];
  alignas(64) TileTotals totals;
  Block before{};
  int turn = 0;
  for (int column = 0; column < product.columns; column += kPanelColumns) {
    const int left = product.columns - column;
    const int columns = left < kPanelColumns ? left : kPanelColumns;
    for (int row = first; row < end; row += 2 * kTileRows) {
      const int rows = end - row < 2 * kTileRows ? end - row : 2 * kTileRows;
      for (int tap = 0; tap < task.taps; ++tap) {
        const Block block{row,
                          rows,
                          column,
                          columns,
                          tap,
                          row + task.offsets[tap],
                          task.weights[tap] + column * column_bytes};
        if (columns <= kLanes)
          multiply_block<1>(product, block, sums[turn]);
        else
          multiply_block<2>(product, block, sums[turn]);
        turn ^= 1;
        if (before.rows > 0) finish_block(task, before, sums[turn], totals);
        before = block;
      }
    }
  }
  finish_block(task, before, sums[turn ^ 1], totals);
}

}  // namespace

void multiply_taps_int8(const TapsInt8& task) {
  static_assert(kPanelVectors == 2 && kLanes * 4 == kTileBytes);
  const int rows = task.product.rows;
  const int whole_rows = rows / (2 * kTileRows) * (2 * kTileRows);
  const int left_rows = rows - whole_rows;
  if (whole_rows > 0) {
    Configuration(kTileRows, kTileRows).load();
    multiply_rows(task, 0, whole_rows);
  }
  if (left_rows > 0) {
    const int upper = left_rows < kTileRows ? left_rows : kTileRows;
    Configuration(upper, left_rows - upper).load();
    multiply_rows(task, whole_rows, rows);
  }
  _tile_release();
}

}  // namespace figment::simd::FIGMENT_ISA

#endif
