// What the rules of convolutions, transposed convolutions and pooling share: the options of a
// window that slides over a picture.
#pragma once

#include "runtime/math/im2col.h"
#include "runtime/ops/checks.h"

namespace figment::ops {

// Strides, dilations, paddings and kernels beyond this are damage, not design; up to it, no product
// of two overflows.
inline constexpr int kMaxWindow = 32767;

// The fields that Conv2D, ConvTranspose2D and Pool2D have alike.
struct WindowOptions {
  int stride_height, stride_width;
  int dilation_height, dilation_width;
  int pad_top, pad_bottom, pad_left, pad_right;

  template <typename Options>
  explicit WindowOptions(const Options& options)
      : stride_height(options.stride_height()),
        stride_width(options.stride_width()),
        dilation_height(options.dilation_height()),
        dilation_width(options.dilation_width()),
        pad_top(options.pad_top()),
        pad_bottom(options.pad_bottom()),
        pad_left(options.pad_left()),
        pad_right(options.pad_right()) {}
};

Status require_window(const WindowOptions& options);
Status require_kernel(std::int64_t height, std::int64_t width);
math::Window window_of(const WindowOptions& options, int kernel_height, int kernel_width);

// From a window's first tap to its last, both included.
inline std::int64_t window_span(std::int64_t kernel, std::int64_t dilation) {
  return (kernel - 1) * dilation + 1;
}

// How often a window of `span` fits into `extent` (with its padding) in steps of `stride`.
inline std::int64_t count_windows(std::int64_t extent, std::int64_t span, std::int64_t stride) {
  return extent < span ? 0 : (extent - span) / stride + 1;
}

// The rules that Conv2D and QuantizedConv2D share, of a picture and weights of 4 axes: checks
// options and shapes, and sets the result's (float32).
Status set_convolved(Tensor& result, const WindowOptions& options, int groups, const Shape& x,
                     const Shape& weights);

// Those of ConvTranspose2D and QuantizedConvTranspose2D, whose weights have 5 axes.
struct OutputPadding {
  int height, width;
};
Status set_transpose_convolved(Tensor& result, const WindowOptions& options,
                               const OutputPadding& padding, int groups, const Shape& x,
                               const Shape& weights);

// The output [n, height, width, channels], float32.
Status set_picture(Tensor& result, int n, std::int64_t height, std::int64_t width, int channels);

}  // namespace figment::ops
