// Pool2D. Average: each pixel that a window sees gets dy / divisor. Max: the largest pixel gets
// dy, of equal ones the first in the order of rows and columns (as PyTorch has it); which one it
// was is found again from x.
#include <algorithm>

#include "runtime/ops/pool2d.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

using ops::PoolTaps;

// Channels that are worked on beside each other.
constexpr std::int64_t kLanes = 16;

// Some channels of one picture, `count` of them, at most kLanes.
struct Channels {
  const float* x;  // null: nobody asks for it
  float* dx;
  std::int64_t row_floats, pixel_floats;
  std::int64_t dilation_height, dilation_width;
  std::int64_t count;

  std::int64_t offset(const PoolTaps& rows, const PoolTaps& columns, std::int64_t ky,
                      std::int64_t kx) const {
    return (rows.start + ky * dilation_height) * row_floats +
           (columns.start + kx * dilation_width) * pixel_floats;
  }
};

Reads reads(const Call& call, Inputs) {
  const bool maximum = call.as<format::Pool2D>().function() == format::PoolFunction::Max;
  return {.inputs = maximum ? input_bit(0) : kNoInputs};
}

void give_to_largest(const Channels& channels, const PoolTaps& rows, const PoolTaps& columns,
                     const float* dy) {
  if (rows.first == rows.last || columns.first == columns.last) return;
  const std::int64_t first = channels.offset(rows, columns, rows.first, columns.first);
  float maxima[kLanes];
  std::int32_t places[kLanes] = {};  // of the maxima, from `first` on
  std::copy_n(channels.x + first, channels.count, maxima);
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky)
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      const std::int64_t offset = channels.offset(rows, columns, ky, kx);
      const auto place = static_cast<std::int32_t>(offset - first);
      const float* pixel = channels.x + offset;
      for (std::int64_t lane = 0; lane < channels.count; ++lane) {
        const bool larger = pixel[lane] > maxima[lane];
        maxima[lane] = larger ? pixel[lane] : maxima[lane];
        places[lane] = larger ? place : places[lane];
      }
    }
  for (std::int64_t lane = 0; lane < channels.count; ++lane)
    channels.dx[first + places[lane] + lane] += dy[lane];
}

void give_to_all(const Channels& channels, const PoolTaps& rows, const PoolTaps& columns,
                 std::int64_t divisor, const float* dy) {
  float shares[kLanes];
  for (std::int64_t lane = 0; lane < channels.count; ++lane)
    shares[lane] = dy[lane] / static_cast<float>(divisor);
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky)
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      float* pixel = channels.dx + channels.offset(rows, columns, ky, kx);
      for (std::int64_t lane = 0; lane < channels.count; ++lane) pixel[lane] += shares[lane];
    }
}

// Each picture's channels, kLanes at a time, are one thread's.
void backward(const Call& call) {
  const auto& options = call.as<format::Pool2D>();
  const bool maximum = options.function() == format::PoolFunction::Max;
  const Shape& x = call.in(0).shape;
  const Shape& out = call.out().shape;
  const ops::PoolAxis vertical = ops::pool_rows(call.operation);
  const ops::PoolAxis horizontal = ops::pool_columns(call.operation);
  const std::int64_t pixel_floats = x[3];
  const std::int64_t row_floats = x[2] * pixel_floats;
  const std::int64_t blocks = (pixel_floats + kLanes - 1) / kLanes;
  const auto give = [&](std::size_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t n = item / blocks;
      const std::int64_t channel = item % blocks * kLanes;
      const std::int64_t begin_x = n * x[1] * row_floats + channel;
      const Channels channels{
          .x = maximum ? call.in(0).floats() + begin_x : nullptr,
          .dx = call.gradient(0) + begin_x,
          .row_floats = row_floats,
          .pixel_floats = pixel_floats,
          .dilation_height = options.dilation_height(),
          .dilation_width = options.dilation_width(),
          .count = std::min(kLanes, pixel_floats - channel),
      };
      for (std::int64_t pixel = 0; pixel < std::int64_t{x[1]} * x[2]; ++pixel)
        std::fill_n(channels.dx + pixel * pixel_floats, channels.count, 0.0F);
      const float* dy = call.output_gradient + n * out[1] * out[2] * pixel_floats + channel;
      for (std::int64_t y = 0; y < out[1]; ++y) {
        const PoolTaps rows(vertical, y);
        for (std::int64_t column = 0; column < out[2]; ++column, dy += pixel_floats) {
          const PoolTaps columns(horizontal, column);
          if (maximum) {
            give_to_largest(channels, rows, columns, dy);
            continue;
          }
          const std::int64_t divisor =
              options.count_include_pad()
                  ? rows.padded * columns.padded
                  : (rows.last - rows.first) * (columns.last - columns.first);
          give_to_all(channels, rows, columns, std::max<std::int64_t>(divisor, 1), dy);
        }
      }
    }
  };
  share(call.in(0).elements() < kWorthSharing ? nullptr : call.operation.threads, x[0] * blocks,
        give);
}

}  // namespace

extern const BackwardRoom kPool2D;
const BackwardRoom kPool2D{
    .differentiable = input_bit(0),
    .reads = reads,
    .backward = backward,
};

}  // namespace figment::train
