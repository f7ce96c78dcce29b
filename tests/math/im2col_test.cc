// im2col and col2im against their definitions. All numbers are small whole ones, so sums are exact.
#include "runtime/math/im2col.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace figment::math {
namespace {

std::vector<float> counting(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251 + 1);
  return values;
}

Window window_of(int kernel_height, int kernel_width, int stride, int dilation, int pad) {
  Window window;
  window.kernel_height = kernel_height;
  window.kernel_width = kernel_width;
  window.stride_height = window.stride_width = stride;
  window.dilation_height = window.dilation_width = dilation;
  window.pad_top = pad;
  window.pad_left = pad + 1;
  return window;
}

TEST_CASE("im2col writes what the window sees, in parts as in one") {
  const int height = 5, width = 7, all_channels = 5;
  const std::vector<float> picture = counting(height * width * all_channels);
  for (int channels : {5, 2})
    for (int stride : {1, 2})
      for (int dilation : {1, 2})
        for (int pad : {0, 1, 2}) {
          const Window window = window_of(3, 2, stride, dilation, pad);
          const int output_height = (height + 2 * pad - 2 * dilation - 1) / stride + 1;
          const int output_width = (width + 2 * (pad + 1) - dilation - 1) / stride + 1;
          PictureChannels seen;
          const int first_channel = all_channels - channels;
          seen.pixels = picture.data() + first_channel;
          seen.height = height;
          seen.width = width;
          seen.channels = channels;
          seen.pixel_stride = all_channels;
          std::vector<float> expected;
          for (int y = 0; y < output_height; ++y)
            for (int x = 0; x < output_width; ++x)
              for (int ky = 0; ky < 3; ++ky)
                for (int kx = 0; kx < 2; ++kx)
                  for (int c = 0; c < channels; ++c) {
                    const int in_y = y * stride + ky * dilation - pad;
                    const int in_x = x * stride + kx * dilation - pad - 1;
                    const bool inside = in_y >= 0 && in_y < height && in_x >= 0 && in_x < width;
                    expected.push_back(inside ? picture.at((in_y * width + in_x) * all_channels +
                                                           first_channel + c)
                                              : 0.0f);
                  }
          const std::int64_t pixels = output_height * output_width;
          const std::int64_t row = 6 * channels;
          for (std::int64_t part : {pixels, std::int64_t{4}}) {
            std::vector<float> columns(static_cast<std::size_t>(pixels * row), -1.0f);
            for (std::int64_t first = 0; first < pixels; first += part)
              im2col(window, seen, output_width, first, std::min(part, pixels - first),
                     columns.data() + first * row);
            CHECK(columns == expected);
          }
        }
}

// A transposed convolution's last step: columns [height, width, kernel_h, kernel_w, channels].
struct Case {
  Window window;
  int height, width, channels, output_height, output_width;
};

std::vector<float> scatter(const Case& c, const std::vector<float>& columns,
                           const std::vector<float>& bias) {
  const Window& w = c.window;
  std::vector<float> output(
      static_cast<std::size_t>(c.output_height * c.output_width * c.channels));
  for (std::size_t i = 0; i < output.size(); ++i)
    output[i] = bias.empty() ? 0.0f : bias[i % static_cast<std::size_t>(c.channels)];
  std::size_t i = 0;
  for (int in_y = 0; in_y < c.height; ++in_y)
    for (int in_x = 0; in_x < c.width; ++in_x)
      for (int ky = 0; ky < w.kernel_height; ++ky)
        for (int kx = 0; kx < w.kernel_width; ++kx)
          for (int channel = 0; channel < c.channels; ++channel, ++i) {
            const int y = in_y * w.stride_height + ky * w.dilation_height - w.pad_top;
            const int x = in_x * w.stride_width + kx * w.dilation_width - w.pad_left;
            if (y < 0 || y >= c.output_height || x < 0 || x >= c.output_width) continue;
            output.at((y * c.output_width + x) * c.channels + channel) += columns[i];
          }
  return output;
}

// All columns at hand, in one call.
std::vector<float> gather(const Case& c, const std::vector<float>& columns,
                          const std::vector<float>& bias) {
  Columns source;
  source.data = columns.data();
  source.height = c.height;
  source.width = c.width;
  source.channels = c.channels;
  source.slots = c.height;
  std::vector<float> output(static_cast<std::size_t>(c.output_height * c.output_width * c.channels),
                            -1.0f);
  col2im(c.window, source, bias.empty() ? nullptr : bias.data(), 0, c.output_height, c.output_width,
         output.data(), c.channels);
  return output;
}

// Row by row, with no more input rows than needed; the ring begins at `first_row` of the input.
// Pixels stand two floats apart.
std::vector<float> gather_by_rows(const Case& c, const std::vector<float>& columns,
                                  const std::vector<float>& bias) {
  const std::size_t row = columns.size() / static_cast<std::size_t>(c.height);
  const int slots = live_rows(c.window, c.height);
  std::vector<float> ring(row * static_cast<std::size_t>(slots), 1e30f);
  Columns source;
  source.data = ring.data();
  source.height = c.height;
  source.width = c.width;
  source.channels = c.channels;
  source.slots = slots;
  source.first_row = input_rows_of(c.window, 0, c.height).first;
  const int stride = c.channels + 2;
  std::vector<float> output;
  for (int y = 0, ready = source.first_row; y < c.output_height; ++y) {
    const RowRange needed = input_rows_of(c.window, y, c.height);
    CHECK(needed.last - needed.first <= slots);
    for (; ready < needed.last; ++ready) {
      const std::size_t slot = static_cast<std::size_t>((ready - source.first_row) % slots);
      std::copy_n(columns.begin() + static_cast<std::ptrdiff_t>(row) * ready, row,
                  ring.begin() + static_cast<std::ptrdiff_t>(row * slot));
    }
    std::vector<float> line(static_cast<std::size_t>(c.output_width * stride), -7.0f);
    col2im(c.window, source, bias.empty() ? nullptr : bias.data(), y, y + 1, c.output_width,
           line.data(), stride);
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool is_gap = static_cast<int>(i) % stride >= c.channels;
      if (is_gap) {
        CHECK(line[i] == -7.0f);
      } else {
        output.push_back(line[i]);
      }
    }
  }
  return output;
}

TEST_CASE("col2im gathers what a scatter gives, whole and through a ring of rows") {
  for (int kernel : {1, 2, 3, 4, 5})
    for (int stride : {1, 2, 3, 4})
      for (int dilation : {1, 2, 3})
        for (int pad : {0, 1, 3})
          for (int channels : {1, 3, 23}) {
            CAPTURE(kernel);
            CAPTURE(stride);
            CAPTURE(dilation);
            CAPTURE(pad);
            CAPTURE(channels);
            Case c{window_of(kernel, kernel, stride, dilation, pad), 6, 4, channels, 0, 0};
            // One row and two columns of output padding.
            c.output_height = 5 * stride + dilation * (kernel - 1) + 1 - 2 * pad + 1;
            c.output_width = 3 * stride + dilation * (kernel - 1) + 1 - 2 * (pad + 1) + 2;
            if (c.output_height <= 0 || c.output_width <= 0) continue;
            const std::vector<float> columns = counting(6 * 4 * kernel * kernel * channels);
            const std::vector<float> bias =
                channels == 3 ? std::vector<float>{} : counting(channels);
            const std::vector<float> expected = scatter(c, columns, bias);
            CHECK(gather(c, columns, bias) == expected);
            CHECK(gather_by_rows(c, columns, bias) == expected);
          }
}

TEST_CASE("rows of a range are written as in one call") {
  Case c{window_of(4, 4, 2, 1, 1), 6, 4, 5, 12, 6};
  const std::vector<float> columns = counting(6 * 4 * 16 * 5);
  const std::vector<float> whole = gather(c, columns, {});
  Columns source;
  source.data = columns.data();
  source.height = 6;
  source.width = 4;
  source.channels = 5;
  source.slots = 6;
  std::vector<float> part(4 * 6 * 5);
  col2im(c.window, source, nullptr, 3, 7, c.output_width, part.data(), 5);
  CHECK(std::equal(part.begin(), part.end(), whole.begin() + 3 * 6 * 5));
}

}  // namespace
}  // namespace figment::math
