// How the weights of a Product lie in memory: in panels of a few vectors of columns, each with its
// bias in front, so that a kernel reads one line after another.
#pragma once

#include <cstdint>

#include "runtime/simd/kernels.h"

namespace figment::simd {

// Panels of Kernels::panel_columns columns; the last one takes what is left, one vector wide where
// that is enough. Each panel is a line of biases and then a line for each of `depth`.
struct Packing {
  std::int64_t columns, depth;
  int lanes, panel_columns;

  Packing(const Kernels& kernels, std::int64_t column_count, std::int64_t line_count)
      : columns(column_count),
        depth(line_count),
        lanes(kernels.lanes),
        panel_columns(kernels.panel_columns) {}

  // Columns of the panel that begins at `column`, padding included.
  std::int64_t width(std::int64_t column) const {
    const std::int64_t left = columns - column;
    return left <= lanes ? lanes : panel_columns;
  }
  std::int64_t floats() const {
    const std::int64_t full = columns / panel_columns;
    const std::int64_t left = columns % panel_columns;
    return (depth + 1) * (full * panel_columns + (left == 0       ? 0
                                                  : left <= lanes ? lanes
                                                                  : panel_columns));
  }
  // Where the weight of `column` and line `k` stands; k = -1: its bias.
  std::int64_t at(std::int64_t column, std::int64_t k) const {
    const std::int64_t first = column / panel_columns * panel_columns;
    return first * (depth + 1) + (k + 1) * width(first) + column - first;
  }
};

// int8 weights: panels as above, each with three lines in front, the columns' scales, biases
// (float32) and sums of weights (int32, by which the integer that stands as 0 is made good), and
// then a line for every four of depth, padding included: the four bytes of each column.
struct PackingInt8 {
  std::int64_t columns, quads;
  int lanes, panel_columns;

  PackingInt8(const Kernels& kernels, std::int64_t column_count, std::int64_t depth)
      : columns(column_count),
        quads((depth + kernels.depth_step - 1) / kernels.depth_step * kernels.depth_step / 4),
        lanes(kernels.lanes),
        panel_columns(kernels.panel_columns) {}

  std::int64_t width(std::int64_t column) const {
    return columns - column <= lanes ? lanes : panel_columns;
  }
  std::int64_t bytes() const {
    const std::int64_t left = columns % panel_columns;
    const std::int64_t last = left == 0 ? 0 : left <= lanes ? lanes : panel_columns;
    return 4 * (quads + 3) * (columns / panel_columns * panel_columns + last);
  }
  // Where `column` stands in a line: 0 scales, 1 biases, 2 sums, 3 + k / 4 weights.
  std::int64_t at(std::int64_t column, std::int64_t line) const {
    const std::int64_t first = column / panel_columns * panel_columns;
    return 4 * (first * (quads + 3) + line * width(first) + column - first);
  }
};

}  // namespace figment::simd
