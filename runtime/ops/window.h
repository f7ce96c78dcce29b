// What the rules of convolutions, transposed convolutions and pooling share: the options of a
// window that slides over a picture.
#pragma once

#include "runtime/math/im2col.h"
#include "runtime/ops/checks.h"

namespace figment::ops {

// Strides, dilations, paddings and kernels beyond this are damage, not design; up to it, no product
// of two overflows.
inline constexpr int kMaxWindow = 32767;

// Strides, dilations and paddings: the fields that Conv2D, ConvTranspose2D and Pool2D have alike.
template <typename Options>
Status require_window(const Options& options) {
  FIG_TRY(require_range(options.stride_height(), 1, kMaxWindow, "stride_height"));
  FIG_TRY(require_range(options.stride_width(), 1, kMaxWindow, "stride_width"));
  FIG_TRY(require_range(options.dilation_height(), 1, kMaxWindow, "dilation_height"));
  FIG_TRY(require_range(options.dilation_width(), 1, kMaxWindow, "dilation_width"));
  FIG_TRY(require_range(options.pad_top(), 0, kMaxWindow, "pad_top"));
  FIG_TRY(require_range(options.pad_bottom(), 0, kMaxWindow, "pad_bottom"));
  FIG_TRY(require_range(options.pad_left(), 0, kMaxWindow, "pad_left"));
  FIG_TRY(require_range(options.pad_right(), 0, kMaxWindow, "pad_right"));
  return {};
}

inline Status require_kernel(std::int64_t height, std::int64_t width) {
  FIG_TRY(require_range(height, 1, kMaxWindow, "kernel_height"));
  return require_range(width, 1, kMaxWindow, "kernel_width");
}

template <typename Options>
math::Window window_of(const Options& options, int kernel_height, int kernel_width) {
  math::Window window;
  window.kernel_height = kernel_height;
  window.kernel_width = kernel_width;
  window.stride_height = options.stride_height();
  window.stride_width = options.stride_width();
  window.dilation_height = options.dilation_height();
  window.dilation_width = options.dilation_width();
  window.pad_top = options.pad_top();
  window.pad_left = options.pad_left();
  return window;
}

// From a window's first tap to its last, both included.
inline std::int64_t window_span(std::int64_t kernel, std::int64_t dilation) {
  return (kernel - 1) * dilation + 1;
}

// How often a window of `span` fits into `extent` (with its padding) in steps of `stride`.
inline std::int64_t count_windows(std::int64_t extent, std::int64_t span, std::int64_t stride) {
  return extent < span ? 0 : (extent - span) / stride + 1;
}

// The output [n, height, width, channels], float32.
inline Status set_picture(Tensor& result, int n, std::int64_t height, std::int64_t width,
                          int channels) {
  FIG_TRY(require_range(height, 1, INT32_MAX, "the output's height"));
  FIG_TRY(require_range(width, 1, INT32_MAX, "the output's width"));
  Shape shape;
  shape.rank = 4;
  shape[0] = n;
  shape[1] = static_cast<std::int32_t>(height);
  shape[2] = static_cast<std::int32_t>(width);
  shape[3] = channels;
  return set_result(result, DataType::kFloat32, shape);
}

}  // namespace figment::ops
