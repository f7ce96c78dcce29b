// Depthwise convolutions, tap by tap. Weights [channels, kernel_h, kernel_w] are the same in both
// orders, and are turned to [kernel_h, kernel_w, channels] in scratch.
#include "runtime/train/depthwise.h"

#include <algorithm>

#include "runtime/train/product_tile.h"
#include "runtime/train/rows.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

// The pixels of one map row and one tap, and the picture's under them.
struct TapRow {
  std::int64_t count;         // 0: the tap is outside
  std::int64_t map, picture;  // offsets of the first, in floats
  std::int64_t picture_step;  // floats from one to the next

  TapRow(const Convolution& convolution, std::int64_t map_row, std::int64_t tap) {
    const math::Window& window = convolution.window;
    const std::int64_t channels = convolution.groups;
    const std::int64_t y = map_row % convolution.map_height * window.stride_height -
                           window.pad_top + tap / window.kernel_width * window.dilation_height;
    const std::int64_t offset = tap % window.kernel_width * window.dilation_width - window.pad_left;
    const PlaceRange range(offset, window.stride_width, convolution.picture_width,
                           convolution.map_width);
    const bool inside = y >= 0 && y < convolution.picture_height;
    count = inside ? range.last - range.first : 0;
    map = (map_row * convolution.map_width + range.first) * channels;
    picture = ((map_row / convolution.map_height * convolution.picture_height + y) *
                   convolution.picture_width +
               range.first * window.stride_width + offset) *
              channels;
    picture_step = window.stride_width * channels;
  }
};

const float* turn_weights(const Convolution& convolution, const float* weights,
                          const Workspace& workspace) {
  float* turned = reinterpret_cast<float*>(workspace.scratch);
  const std::int64_t taps = convolution.taps();
  for (std::int64_t channel = 0; channel < convolution.groups; ++channel)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      turned[tap * convolution.groups + channel] = weights[channel * taps + tap];
  return turned;
}

}  // namespace

std::size_t depthwise_scratch_bytes(const Convolution& convolution) {
  return static_cast<std::size_t>(convolution.taps() * convolution.groups) * sizeof(float);
}

void depthwise_picture_to_map(const Convolution& convolution, const float* picture,
                              const float* weights, const float* bias, float* map,
                              const Workspace& workspace) {
  const float* turned = turn_weights(convolution, weights, workspace);
  const std::int64_t channels = convolution.groups;
  const std::int64_t row_floats = convolution.map_width * channels;
  share(workspace.threads, convolution.batch * convolution.map_height,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          for (std::int64_t row = first; row < last; ++row) {
            fill_rows(bias, convolution.map_width, channels, map + row * row_floats, nullptr);
            for (std::int64_t tap = 0; tap < convolution.taps(); ++tap) {
              const TapRow pixels(convolution, row, tap);
              workspace.loops->multiply_add_pixels({.x = picture + pixels.picture,
                                                    .x_step = pixels.picture_step,
                                                    .weights = turned + tap * channels,
                                                    .y = map + pixels.map,
                                                    .y_step = channels,
                                                    .pixels = pixels.count,
                                                    .channels = channels});
            }
          }
        });
}

// Each picture is one thread's.
void depthwise_map_to_picture(const Convolution& convolution, const float* map,
                              const float* weights, const float* bias, float* picture,
                              const Workspace& workspace) {
  const float* turned = turn_weights(convolution, weights, workspace);
  const std::int64_t channels = convolution.groups;
  fill_rows(bias, convolution.picture_pixels(), channels, picture, workspace.threads);
  share(workspace.threads, convolution.batch,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          for (std::int64_t row = first * convolution.map_height;
               row < last * convolution.map_height; ++row)
            for (std::int64_t tap = 0; tap < convolution.taps(); ++tap) {
              const TapRow pixels(convolution, row, tap);
              workspace.loops->multiply_add_pixels({.x = map + pixels.map,
                                                    .x_step = channels,
                                                    .weights = turned + tap * channels,
                                                    .y = picture + pixels.picture,
                                                    .y_step = pixels.picture_step,
                                                    .pixels = pixels.count,
                                                    .channels = channels});
            }
        });
}

// Some channels are one thread's. Sums of a row each, so that long ones lose little.
void depthwise_weights_of_both(const Convolution& convolution, const float* picture,
                               const float* map, std::int64_t first, std::int64_t count,
                               float* gradient, const Workspace& workspace) {
  constexpr std::int64_t kChannels = 32;
  const std::int64_t channels = convolution.groups;
  const std::int64_t taps = convolution.taps();
  float* totals = reinterpret_cast<float*>(workspace.scratch);  // [kernel_h, kernel_w, count]
  std::fill_n(totals, taps * count, 0.0F);
  const auto sum_blocks = [&](std::size_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin * kChannels; block < std::min(count, end * kChannels);
         block += kChannels) {
      const std::int64_t width = std::min(kChannels, count - block);
      for (std::int64_t row = 0; row < convolution.batch * convolution.map_height; ++row)
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          const TapRow pixels(convolution, row, tap);
          float sums[kChannels] = {};
          workspace.loops->sum_products({.x = picture + pixels.picture + first + block,
                                         .x_step = pixels.picture_step,
                                         .weights = map + pixels.map + first + block,
                                         .weights_step = channels,
                                         .y = sums,
                                         .y_step = 0,
                                         .pixels = pixels.count,
                                         .channels = width});
          float* total = totals + tap * count + block;
          for (std::int64_t channel = 0; channel < width; ++channel)
            total[channel] += sums[channel];
        }
    }
  };
  share(workspace.threads, (count + kChannels - 1) / kChannels, sum_blocks);
  for (std::int64_t channel = 0; channel < count; ++channel)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      gradient[channel * taps + tap] = totals[tap * count + channel];
}

}  // namespace figment::train
