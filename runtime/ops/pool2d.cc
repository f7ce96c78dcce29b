// Pool2D: x [N,H,W,C] -> [N, height, width, C], the maximum or the average of what a window sees.
//
// With ceil_mode a last window may hang over the padded picture's end, unless it would begin past
// the picture and its leading padding. The average divides by the number of pixels seen, or, with
// count_include_pad, by the number of places in the padded picture (an overhang never counts). A
// window that sees no pixel at all gives 0.
#include <algorithm>
#include <limits>

#include "runtime/ops/pool2d.h"

namespace figment::ops {
namespace {

Status require_padding(const PoolAxis& axis, const char* what) {
  const std::int64_t span = window_span(axis.kernel, axis.dilation);
  FIG_TRY(require_range(axis.pad_before, 0, span - 1, what));
  return require_range(axis.pad_after, 0, span - 1, what);
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Pool2D>();
  FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_rank(operation, 0, 4));
  if (options.function() > format::PoolFunction::MAX)
    return unsupported({"the pooling function is newer than this runtime; update Figment"});
  FIG_TRY(require_kernel(options.kernel_height(), options.kernel_width()));
  FIG_TRY(require_window(WindowOptions(options)));
  FIG_TRY(require_padding(pool_rows(operation), "the padding of the height"));
  FIG_TRY(require_padding(pool_columns(operation), "the padding of the width"));
  const Shape& x = operation.in(0).shape;
  return set_picture(result, x[0], pool_rows(operation).output(options.ceil_mode()),
                     pool_columns(operation).output(options.ceil_mode()), x[3]);
}

// Channels that are pooled beside each other.
constexpr int kLanes = 16;

// `picture` stands at the first of `count` channels, at most kLanes.
struct Window {
  const float* picture;
  std::int64_t row_floats, pixel_floats;
  std::int64_t dilation_height, dilation_width;
  int count;
};

void take_maximum(const Window& window, const PoolTaps& rows, const PoolTaps& columns,
                  float* output) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  float maxima[kLanes];
  std::fill_n(maxima, kLanes, kLowest);
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky)
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      const float* pixel = window.picture +
                           (rows.start + ky * window.dilation_height) * window.row_floats +
                           (columns.start + kx * window.dilation_width) * window.pixel_floats;
      for (int lane = 0; lane < window.count; ++lane)
        maxima[lane] = std::max(maxima[lane], pixel[lane]);
    }
  const bool empty = rows.first == rows.last || columns.first == columns.last;
  for (int lane = 0; lane < window.count; ++lane) output[lane] = empty ? 0.0f : maxima[lane];
}

// Sums in double precision, row by row: an average over a whole picture loses nothing.
void take_average(const Window& window, const PoolTaps& rows, const PoolTaps& columns,
                  std::int64_t divisor, float* output) {
  double sums[kLanes] = {};
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky)
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      const float* pixel = window.picture +
                           (rows.start + ky * window.dilation_height) * window.row_floats +
                           (columns.start + kx * window.dilation_width) * window.pixel_floats;
      for (int lane = 0; lane < window.count; ++lane) sums[lane] += pixel[lane];
    }
  for (int lane = 0; lane < window.count; ++lane)
    output[lane] =
        divisor == 0 ? 0.0f : static_cast<float>(sums[lane] / static_cast<double>(divisor));
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::Pool2D>();
  const Shape& x = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const int channels = x[3];
  Window window;
  window.row_floats = std::int64_t{x[2]} * channels;
  window.pixel_floats = channels;
  window.dilation_height = options.dilation_height();
  window.dilation_width = options.dilation_width();
  float* output = operation.out().floats();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t y = 0; y < out[1]; ++y) {
      const PoolTaps rows(pool_rows(operation), y);
      for (std::int64_t column = 0; column < out[2]; ++column, output += channels) {
        const PoolTaps columns(pool_columns(operation), column);
        const std::int64_t divisor =
            options.count_include_pad() ? rows.padded * columns.padded
                                        : (rows.last - rows.first) * (columns.last - columns.first);
        for (int channel = 0; channel < channels; channel += kLanes) {
          window.picture = operation.in(0).floats() + n * x[1] * window.row_floats + channel;
          window.count = std::min(kLanes, channels - channel);
          if (options.function() == format::PoolFunction::Max) {
            take_maximum(window, rows, columns, output + channel);
          } else {
            take_average(window, rows, columns, divisor, output + channel);
          }
        }
      }
    }
}

}  // namespace

extern const OperatorRoom kPool2D;
const OperatorRoom kPool2D{1, 1, Memory::kOwn, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
