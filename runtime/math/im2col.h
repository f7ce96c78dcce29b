// Convolution as a matrix product: pictures to columns before it (im2col), or columns to pictures
// after it (col2im, for transposed convolutions). Both work on a part of the picture at a time, so
// that the columns stay small.
#pragma once

#include <cstdint>

namespace figment::math {

// A window that slides over a picture. The tap (ky, kx) of output (y, x) reads the picture at
// (y * stride_height + ky * dilation_height - pad_top, likewise x). Every number is at most 32767
// (runtime/ops/window.h).
struct Window {
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int dilation_height = 1, dilation_width = 1;
  int pad_top = 0, pad_left = 0;
};

// Some channels of one picture [height, width, channels].
struct PictureChannels {
  const float* pixels = nullptr;  // the first of these channels, in the picture's first pixel
  int height = 0, width = 0;
  int channels = 0;               // how many
  std::int64_t pixel_stride = 0;  // floats from pixel to pixel: all channels of the picture
};

// Writes `count` rows of the matrix [outputs, kernel_height * kernel_width * channels] into
// `columns`: row i is what the window sees at output pixel `first` + i, counted row by row over
// pictures `output_width` wide. Padding reads as 0.
void im2col(const Window& window, const PictureChannels& picture, int output_width,
            std::int64_t first, std::int64_t count, float* columns);

// The columns of a transposed convolution: for each input pixel its product with every tap,
// [rows, width, kernel_height, kernel_width, channels]. Only `slots` input rows are held at a time:
// input row i stands in slot (i - first_row) modulo slots.
struct Columns {
  const float* data = nullptr;
  int height = 0, width = 0;  // of the input
  int channels = 0;           // of the output
  int first_row = 0, slots = 0;

  std::int64_t pixel_floats(const Window& window) const {
    return std::int64_t{window.kernel_height} * window.kernel_width * channels;
  }
};

// The input rows between the first and the last that reach output row `y` of a transposed
// convolution: from `first` to before `last`, at most live_rows() of them; none when equal. Both
// grow with `y`.
struct RowRange {
  int first, last;
};
RowRange input_rows_of(const Window& window, int y, int input_height);

// Input rows that one output row reaches at most: the fewest slots that col2im can work with.
int live_rows(const Window& window, int input_height);

// Writes output rows `first` to before `last` of a transposed convolution, [rows, output_width]
// pixels of `channels` floats, each `output_stride` floats after the one before, the first at
// `output`: every pixel is the sum of the columns that reach it, tap after tap (ky, then kx), plus
// the bias (`channels` floats, or null), written once. The slots must hold the input rows of all
// these output rows. Here the window gives the scatter: input row i, tap ky go to output row
// i * stride_height + ky * dilation_height - pad_top.
void col2im(const Window& window, const Columns& columns, const float* bias, int first, int last,
            int output_width, float* output, std::int64_t output_stride);

}  // namespace figment::math
