// What a pooling window sees, for Pool2D and its gradient.
#pragma once

#include <algorithm>

#include "runtime/ops/window.h"

namespace figment::ops {

// One axis.
struct PoolAxis {
  std::int64_t extent, pad_before, pad_after, kernel, stride, dilation;

  std::int64_t output(bool ceil_mode) const {
    const std::int64_t padded = extent + pad_before + pad_after;
    const std::int64_t span = window_span(kernel, dilation);
    std::int64_t count = count_windows(padded, span, stride);
    const bool rest = count > 0 && (padded - span) % stride != 0;
    if (ceil_mode && rest && count * stride < extent + pad_before) ++count;
    return count;
  }
};

// The taps of one window along one axis that meet the picture: from `first` to before `last`; and
// how many meet the padded picture.
struct PoolTaps {
  std::int64_t start;  // where tap 0 stands
  std::int64_t first, last, padded;

  PoolTaps(const PoolAxis& axis, std::int64_t output)
      : start(output * axis.stride - axis.pad_before) {
    first = start >= 0 ? 0 : (-start - 1) / axis.dilation + 1;
    last = taps_before(axis, axis.extent);
    padded = taps_before(axis, axis.extent + axis.pad_after);
    first = std::min(first, last);
  }

 private:
  std::int64_t taps_before(const PoolAxis& axis, std::int64_t end) const {
    return start >= end ? 0 : std::min(axis.kernel, (end - start - 1) / axis.dilation + 1);
  }
};

inline PoolAxis pool_rows(const Operation& operation) {
  const auto& options = operation.as<format::Pool2D>();
  return {operation.in(0).shape[1], options.pad_top(),       options.pad_bottom(),
          options.kernel_height(),  options.stride_height(), options.dilation_height()};
}

inline PoolAxis pool_columns(const Operation& operation) {
  const auto& options = operation.as<format::Pool2D>();
  return {operation.in(0).shape[2], options.pad_left(),     options.pad_right(),
          options.kernel_width(),   options.stride_width(), options.dilation_width()};
}

}  // namespace figment::ops
