// Columns from pictures and pictures from columns.
#include "runtime/math/im2col.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace figment::math {
namespace {

// Copies what one row of the window sees; `x` is the picture's column under the first tap.
float* copy_window_row(const Window& window, const PictureChannels& picture, std::int64_t y,
                       std::int64_t x, float* columns) {
  const std::int64_t channels = picture.channels;
  const float* row = picture.pixels + y * picture.width * picture.pixel_stride;
  const bool whole = x >= 0 && x + window.kernel_width <= picture.width;
  if (whole && window.dilation_width == 1 && picture.pixel_stride == channels) {
    const std::int64_t floats = window.kernel_width * channels;
    std::memcpy(columns, row + x * channels, static_cast<std::size_t>(floats) * sizeof(float));
    return columns + floats;
  }
  for (int kx = 0; kx < window.kernel_width; ++kx, x += window.dilation_width) {
    if (x < 0 || x >= picture.width) {
      std::fill_n(columns, channels, 0.0f);
    } else {
      std::copy_n(row + x * picture.pixel_stride, channels, columns);
    }
    columns += channels;
  }
  return columns;
}

// The taps that reach an output coordinate along one axis. Tap i is kernel position
// kernel + i * kernel_step, fed by input position input - i * input_step (see Steps).
struct Taps {
  int kernel = 0;
  std::int64_t input = 0;
  int count = 0;
};

// One axis of a transposed convolution: input position i and kernel position k meet output position
// i * stride + k * dilation - pad. Kernel positions that meet one output lie kernel_step apart.
struct Axis {
  int kernel, stride, dilation, pad, extent;
  int kernel_step, input_step;

  Axis(int kernel_size, int strides, int dilations, int padding, int input_extent)
      : kernel(kernel_size),
        stride(strides),
        dilation(dilations),
        pad(padding),
        extent(input_extent),
        kernel_step(strides / std::gcd(strides, dilations)),
        input_step(dilations / std::gcd(strides, dilations)) {}

  // The taps of `output`, were the input without end. Outputs `stride` apart share kernel and
  // count; their inputs follow one another.
  Taps endless_taps(std::int64_t output) const {
    for (int k = 0; k < std::min(kernel, kernel_step); ++k) {
      const std::int64_t scaled = output + pad - std::int64_t{k} * dilation;
      if (scaled % stride == 0) return {k, scaled / stride, (kernel - 1 - k) / kernel_step + 1};
    }
    return {};
  }

  // Those of them whose input exists.
  Taps clip(const Taps& taps) const {
    if (taps.input < 0) return {};
    const std::int64_t skipped = taps.input < extent ? 0 : (taps.input - extent) / input_step + 1;
    const std::int64_t end = std::min<std::int64_t>(taps.count, taps.input / input_step + 1);
    if (skipped >= end) return {};
    return {taps.kernel + static_cast<int>(skipped) * kernel_step,
            taps.input - skipped * input_step, static_cast<int>(end - skipped)};
  }
};

// The columns that reach one output pixel: `rows` x `columns` taps. Row i is in slot
// slot - i * slot_step, counted round; within it, the taps follow each other in one step.
struct PixelTaps {
  const float* data;  // of slot 0, at the first tap of a row
  std::int64_t slot_floats, row_step, column_step;
  int slot, slot_step, slots;
  int rows, columns;
};

// Sums kCount channels from `channel` on.
template <int kCount>
inline void sum_taps(const PixelTaps& taps, const float* bias, std::int64_t channel,
                     float* output) {
  float sums[kCount] = {};
  int slot = taps.slot;
  std::int64_t offset = channel;
  for (int i = 0; i < taps.rows; ++i, offset += taps.row_step) {
    const float* row = taps.data + offset + slot * taps.slot_floats;
    for (int j = 0; j < taps.columns; ++j)
      for (int lane = 0; lane < kCount; ++lane) sums[lane] += row[j * taps.column_step + lane];
    slot -= taps.slot_step;
    if (slot < 0) slot += taps.slots;
  }
  for (int lane = 0; lane < kCount; ++lane)
    output[channel + lane] = bias ? sums[lane] + bias[channel + lane] : sums[lane];
}

void sum_pixel(const PixelTaps& taps, const float* bias, int channels, float* output) {
  int channel = 0;
  for (; channel + 16 <= channels; channel += 16) sum_taps<16>(taps, bias, channel, output);
  for (; channel + 4 <= channels; channel += 4) sum_taps<4>(taps, bias, channel, output);
  switch (channels - channel) {
    case 3:
      return sum_taps<3>(taps, bias, channel, output);
    case 2:
      return sum_taps<2>(taps, bias, channel, output);
    case 1:
      return sum_taps<1>(taps, bias, channel, output);
    default:
      return;
  }
}

}  // namespace

void im2col(const Window& window, const PictureChannels& picture, int output_width,
            std::int64_t first, std::int64_t count, float* columns) {
  const std::int64_t row_floats = std::int64_t{window.kernel_width} * picture.channels;
  for (std::int64_t pixel = first; pixel < first + count; ++pixel) {
    const std::int64_t left = pixel % output_width * window.stride_width - window.pad_left;
    std::int64_t y = pixel / output_width * window.stride_height - window.pad_top;
    for (int ky = 0; ky < window.kernel_height; ++ky, y += window.dilation_height) {
      if (y < 0 || y >= picture.height) {
        std::fill_n(columns, row_floats, 0.0f);
        columns += row_floats;
      } else {
        columns = copy_window_row(window, picture, y, left, columns);
      }
    }
  }
}

RowRange input_rows_of(const Window& window, int y, int input_height) {
  const std::int64_t newest = std::int64_t{y} + window.pad_top;
  const std::int64_t oldest =
      newest - std::int64_t{window.kernel_height - 1} * window.dilation_height;
  const std::int64_t first = oldest <= 0 ? 0 : (oldest - 1) / window.stride_height + 1;
  const std::int64_t last = newest / window.stride_height + 1;
  return {static_cast<int>(std::min<std::int64_t>(first, input_height)),
          static_cast<int>(std::min<std::int64_t>(std::max(first, last), input_height))};
}

int live_rows(const Window& window, int input_height) {
  const std::int64_t reach = std::int64_t{window.kernel_height - 1} * window.dilation_height;
  return static_cast<int>(std::min<std::int64_t>(input_height, reach / window.stride_height + 1));
}

void col2im(const Window& window, const Columns& columns, const float* bias, int first, int last,
            int output_width, float* output, std::int64_t output_stride) {
  const Axis down(window.kernel_height, window.stride_height, window.dilation_height,
                  window.pad_top, columns.height);
  const Axis across(window.kernel_width, window.stride_width, window.dilation_width,
                    window.pad_left, columns.width);
  const std::int64_t channels = columns.channels;
  const std::int64_t pixel_floats = columns.pixel_floats(window);
  PixelTaps taps;
  taps.slots = columns.slots;
  taps.slot_floats = columns.width * pixel_floats;
  taps.slot_step = down.input_step;
  taps.row_step = std::int64_t{down.kernel_step} * window.kernel_width * channels;
  taps.column_step = across.kernel_step * channels - across.input_step * pixel_floats;
  for (int y = first; y < last; ++y) {
    const Taps rows = down.clip(down.endless_taps(y));
    taps.rows = rows.count;
    taps.slot =
        rows.count == 0 ? 0 : static_cast<int>((rows.input - columns.first_row) % columns.slots);
    const float* row = columns.data + std::int64_t{rows.kernel} * window.kernel_width * channels;
    float* output_row = output + std::int64_t{y - first} * output_width * output_stride;
    // Outputs a stride apart meet the same kernel columns: only their input column differs.
    for (int phase = 0; phase < std::min(window.stride_width, output_width); ++phase) {
      Taps endless = across.endless_taps(phase);
      const std::int64_t last_inside = std::int64_t{endless.count - 1} * across.input_step;
      for (int x = phase; x < output_width; x += window.stride_width, ++endless.input) {
        const bool inside = endless.input >= last_inside && endless.input < columns.width;
        const Taps inner = inside ? endless : across.clip(endless);
        taps.columns = inner.count;
        taps.data = row + inner.input * pixel_floats + inner.kernel * channels;
        sum_pixel(taps, bias, columns.channels, output_row + x * output_stride);
      }
    }
  }
}

}  // namespace figment::math
