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

struct Panel {
  const std::byte* bytes;
  int columns;  // that are wanted
};

// One or two row tiles, `rows` rows in all, by a panel of kWidth vectors.
template <int kRowTiles, int kWidth>
void multiply_tiles(const ProductInt8& product, int row, int rows, const Panel& panel, float* c) {
  constexpr int kLineBytes = kWidth * kTileBytes;
  const std::uint8_t* upper = product.a + row * product.a_stride;
  const std::uint8_t* lower = upper + kTileRows * product.a_stride;
  const std::byte* line = panel.bytes + 3 * kLineBytes;
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
  alignas(64) std::int32_t sums[kRowTiles * kTileRows][kWidth * kLanes];
  _tile_stored(0, sums[0], sizeof sums[0]);
  if constexpr (kWidth == 2) _tile_stored(1, sums[0] + kLanes, sizeof sums[0]);
  if constexpr (kRowTiles == 2) _tile_stored(2, sums[kTileRows], sizeof sums[0]);
  if constexpr (kRowTiles == 2 && kWidth == 2)
    _tile_stored(3, sums[kTileRows] + kLanes, sizeof sums[0]);
  for (int vector = 0; vector * kLanes < panel.columns; ++vector) {
    const ColumnHeads heads(reinterpret_cast<const float*>(panel.bytes) + vector * kLanes,
                            kWidth * kLanes);
    const int columns = panel.columns - vector * kLanes;
    const auto wanted = static_cast<__mmask16>(columns < kLanes ? (1U << columns) - 1 : 0xffffU);
    float* to = c + row * product.c_stride + vector * kLanes;
    for (int i = 0; i < rows; ++i, to += product.c_stride) {
      const auto exact = (IntegerLanes)_mm512_load_si512(sums[i] + vector * kLanes);
      _mm512_mask_storeu_ps(to, wanted, finish_sums(product, row + i, exact, heads));
    }
  }
}

template <int kWidth>
void multiply_panel(const ProductInt8& product, int row, int rows, const Panel& panel, float* c) {
  if (rows > kTileRows)
    multiply_tiles<2, kWidth>(product, row, rows, panel, c);
  else
    multiply_tiles<1, kWidth>(product, row, rows, panel, c);
}

}  // namespace

void multiply_int8_tiles(const ProductInt8& product) {
  constexpr int kPanelColumns = kPanelVectors * kLanes;
  static_assert(kPanelVectors == 2 && kLanes * 4 == kTileBytes);
  const std::int64_t panel_bytes = (std::int64_t{product.quads} + 3) * kPanelColumns * 4;
  const int whole_rows = product.rows / (2 * kTileRows) * (2 * kTileRows);
  const int left_rows = product.rows - whole_rows;
  const auto multiply = [&](int first, int end) {
    const std::byte* b = product.b;
    for (int column = 0; column < product.columns; column += kPanelColumns, b += panel_bytes) {
      const int columns = product.columns - column;
      const Panel panel{b, columns < kPanelColumns ? columns : kPanelColumns};
      for (int row = first; row < end; row += 2 * kTileRows) {
        const int rows = end - row < 2 * kTileRows ? end - row : 2 * kTileRows;
        if (columns <= kLanes)
          multiply_panel<1>(product, row, rows, panel, product.c + column);
        else
          multiply_panel<2>(product, row, rows, panel, product.c + column);
      }
    }
  };
  if (whole_rows > 0) {
    Configuration(kTileRows, kTileRows).load();
    multiply(0, whole_rows);
  }
  if (left_rows > 0) {
    const int upper = left_rows < kTileRows ? left_rows : kTileRows;
    Configuration(upper, left_rows - upper).load();
    multiply(whole_rows, product.rows);
  }
  _tile_release();
}

}  // namespace figment::simd::FIGMENT_ISA

#endif
