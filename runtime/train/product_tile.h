// What is compiled for each instruction set: the innermost part of multiply(), and loops over
// pixels.
#pragma once

#include <cstdint>

#include "runtime/train/pixel_loops.h"

namespace figment::train {

// c += a * b, or c = a * b, of a few rows by one panel of columns. The panel holds `depth` lines of
// Loops::panel_columns floats without gaps, zeros where there is no column.
struct Tile {
  const float* a;
  std::int64_t a_row, a_depth;  // strides
  const float* panel;
  int rows, depth, columns;
  float* c;
  std::int64_t c_stride;
  bool add;
};

inline constexpr int kMostPanelColumns = 32;

struct Loops {
  int panel_columns;  // at most kMostPanelColumns
  // Any number of rows.
  void (*multiply_tile)(const Tile& tile);
  void (*add_pixels)(const PixelRow& row);           // y += x
  void (*multiply_add_pixels)(const PixelRow& row);  // y += x * weights
  // y += x * weights, all pixels into one: y_step is not read.
  void (*sum_products)(const PixelRow& row);
};

}  // namespace figment::train
