// Pooling windows that XNNPACK has: maxima, and averages that leave the padding out.
#include "runtime/xnnpack/with_workspace.h"

namespace figment::xnnpack {
namespace {

// XNNPACK rounds the number of windows down.
int floor_extent(int input, int pads, int kernel, int dilation, int stride) {
  return (input + pads - dilation * (kernel - 1) - 1) / stride + 1;
}

bool accepts(const Operation& operation) {
  const auto& options = operation.as<format::Pool2D>();
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const int vertical_pads = options.pad_top() + options.pad_bottom();
  const int horizontal_pads = options.pad_left() + options.pad_right();
  if (options.kernel_height() * options.kernel_width() == 1) return false;
  // XNNPACK refuses windows between which pixels are left out.
  if (options.stride_height() > options.kernel_height() ||
      options.stride_width() > options.kernel_width())
    return false;
  if (out[1] != floor_extent(in[1], vertical_pads, options.kernel_height(),
                             options.dilation_height(), options.stride_height()) ||
      out[2] != floor_extent(in[2], horizontal_pads, options.kernel_width(),
                             options.dilation_width(), options.stride_width()))
    return false;
  if (options.function() == format::PoolFunction::Max) return true;
  const bool padded = vertical_pads + horizontal_pads > 0;
  return options.dilation_height() == 1 && options.dilation_width() == 1 &&
         !(padded && options.count_include_pad());
}

Status create(const Operation& operation, Build& build) {
  const auto& options = operation.as<format::Pool2D>();
  const auto number = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
  const Limits limits = fuse_limits(build);
  const Tensor& input = operation.in(0);
  const std::size_t channels = extent(input, 3);
  xnn_operator_t pool = nullptr;
  if (options.function() == format::PoolFunction::Max) {
    FIG_TRY(status_of_created(
        xnn_create_max_pooling2d_nhwc_f32(
            number(options.pad_top()), number(options.pad_right()), number(options.pad_bottom()),
            number(options.pad_left()), number(options.kernel_height()),
            number(options.kernel_width()), number(options.stride_height()),
            number(options.stride_width()), number(options.dilation_height()),
            number(options.dilation_width()), limits.low, limits.high, /*flags=*/0, &pool),
        pool, "Pool2D"));
    build.state = pool;
    return status_of(xnn_reshape_max_pooling2d_nhwc_f32(
                         pool, extent(input, 0), extent(input, 1), extent(input, 2), channels,
                         channels, channels, nullptr, nullptr, operation.threads),
                     "Pool2D");
  }
  FIG_TRY(status_of_created(
      xnn_create_average_pooling2d_nhwc_f32(
          number(options.pad_top()), number(options.pad_right()), number(options.pad_bottom()),
          number(options.pad_left()), number(options.kernel_height()),
          number(options.kernel_width()), number(options.stride_height()),
          number(options.stride_width()), limits.low, limits.high,
          /*flags=*/0, &pool),
      pool, "Pool2D"));
  build.state = pool;
  std::size_t bytes = 0;
  std::size_t alignment = 0;
  FIG_TRY(status_of(
      xnn_reshape_average_pooling2d_nhwc_f32(pool, extent(input, 0), extent(input, 1),
                                             extent(input, 2), channels, channels, channels, &bytes,
                                             &alignment, nullptr, nullptr, operation.threads),
      "Pool2D"));
  return take_workspace(bytes, alignment, build);
}

bool bind(const Operation& operation, void* state) {
  const float* x = operation.in(0).floats();
  float* y = operation.out().floats();
  if (operation.as<format::Pool2D>().function() == format::PoolFunction::Max)
    return xnn_setup_max_pooling2d_nhwc_f32(operator_in(state), x, y) == xnn_status_success;
  return xnn_setup_average_pooling2d_nhwc_f32(operator_in(state), operation.scratch, x, y) ==
         xnn_status_success;
}

}  // namespace

extern const FastRoom kPool2D;
const FastRoom kPool2D{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
