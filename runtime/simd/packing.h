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

}  // namespace figment::simd
