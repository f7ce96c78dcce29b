// The loops of the fast backend that XNNPACK does not have, or does not have for one picture at a
// time, for each instruction set that this build knows; kernels() chooses by the processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace figment::simd {

// c [rows, columns] = clamp(a [rows, depth] * b + bias), b and the bias packed (packing.h).
struct Product {
  const float* a;
  std::int64_t a_stride;  // floats from row to row
  const float* b;
  float* c;
  std::int64_t c_stride;
  int rows, columns, depth;
  float low, high;
  // Whether no weight is infinite or NaN, so that those that a zero of `a` meets need not be read.
  bool finite_b = false;
};

// Rows x [rows, depth] as integers of 8 bits (runtime/math/quantize.h), each with its step and the
// integer that stands as 0; rows of integers end in zeros.
struct QuantizedRows {
  const float* x;
  std::int64_t x_stride;
  std::uint8_t* integers;
  std::int64_t stride;  // the depth rounded up to Kernels::depth_step
  float* steps;
  std::int32_t* least;
  int rows;
  std::int64_t depth;
};

// What a window sees as it slides over a picture [height, width, channels], zeros beside it. Of
// each pixel the bits of the largest and the smallest number and 0 (runtime/math/quantize.h) are
// kept, in `height` lines of the columns that windows reach: line_columns() of them, the first
// `pad_left` beside the picture.
struct Windows {
  const float* picture;
  int height, width, channels;
  int kernel_height, kernel_width;
  int stride_height, stride_width;
  int dilation_height, dilation_width;
  int pad_top, pad_left;
  int across;  // windows in a row
  std::int32_t* highest;
  std::uint32_t* lowest;

  int line_columns() const {
    return (across - 1) * stride_width + (kernel_width - 1) * dilation_width + 1;
  }
};

// Windows `first` to before first + count, counted row by row, as rows of integers: [kernel_height,
// kernel_width, channels]. Of every picture row that they reach the extremes are there.
struct QuantizedWindows {
  Windows windows;
  std::int64_t first;
  int count;
  std::uint8_t* integers;
  std::int64_t stride;
  float* steps;
  std::int32_t* least;
};

constexpr int kShortWeights = 128;  // * 255 fits into 16 bits (Kernels::short_quads)

// The same product of such rows and int8 weights, packed: c = clamp(sum * (step * scale) + bias).
struct ProductInt8 {
  const std::uint8_t* a;
  std::int64_t a_stride;
  const float* steps;
  const std::int32_t* least;
  const std::byte* b;
  float* c;
  std::int64_t c_stride;
  int rows, columns;
  int quads;  // a quarter of a_stride
  float low, high;
};

// Rows x [rows, depth] as integers around 0, each with its step: x / step + 128, from 1 to 255, and
// zeros up to a multiple of Kernels::depth_step.
struct CenteredRows {
  const float* x;
  std::int64_t x_stride;
  std::uint8_t* integers;
  std::int64_t stride;     // bytes from row to row
  std::int64_t row_steps;  // and steps
  float* steps;
  int rows;
  std::int64_t depth;
};

// A sum of such products, one for each tap of a kernel: c [row] = clamp(sum over taps of (sum *
// (step * scale)) + bias). Tap t multiplies row + offsets[t] of the integers by its own weights;
// the biases are those of the first.
struct TapsInt8 {
  ProductInt8 product;  // all but the weights
  int taps;
  const std::int64_t* offsets;
  const std::byte* const* weights;
};

// Some of the square tiles into which Winograd's convolution cuts its outputs: tile t stands in
// picture t / (down * across), and so on row by row.
struct Tiles {
  int down, across;  // in one picture
  int first, count;
};

// Tiles of `width` x `width` input pixels (4 or 6), of which neighbours overlap, to as many points:
// points[p] [tiles, channels].
struct WinogradInput {
  Tiles tiles;
  int width;
  int step;              // pixels from tile to tile: the outputs of a tile
  const float* picture;  // the first of the batch, [height, width, channels] each
  int picture_height, picture_width, channels;
  int pad_top, pad_left;  // where the first tile begins, above and left of the picture; zeros there
  float* points;
  std::int64_t point_stride;  // floats from point to point
};

// Points [tiles, strides * strides * channels] to tiles of `step` x `step` outputs. With a stride,
// an output of a tile is stride_height x stride_width pixels, each of them `channels` of the
// columns. Adds the bias and applies the activation: clamp(x < 0 ? slope * x : x).
struct WinogradOutput {
  Tiles tiles;
  int width;  // points per side
  int step;
  int stride_height, stride_width;
  const float* points;
  std::int64_t point_stride;
  float* picture;
  int picture_height, picture_width, channels;
  int crop_top, crop_left;  // pixels of the first tile outside of the picture
  const float* bias;        // or null
  float slope, low, high;
};

// One row of a transposed convolution's output [output_width, channels] = clamp(x < 0 ? slope * x :
// x) of the sum of the columns that reach it. Vectors read up to `lanes` floats past the end of the
// columns and of the bias.
struct ColumnRow {
  // Kernel rows that reach this row, `row_step` floats apart, each with its input row. `columns`
  // stands at the first of them, at input pixel 0.
  const float* columns;
  int rows;
  std::int64_t row_step;
  std::int64_t pixel_step;  // floats from input pixel to input pixel
  std::int64_t tap_step;    // and to the pixel before, `stride` kernel columns on
  int kernel, stride;       // along the row
  int input_width, output_width, channels;
  int crop;           // pixels cut off at the left
  const float* bias;  // `stride` times all channels
  float slope, low, high;
  float* output;
};

// Where the tiles' sides and steps are compiled; taps = width + 1 - step.
//   width 4: step 2 (3 taps), 3 (2 taps);  width 6: step 4 (3 taps), 5 (2 taps), 3 (4 taps), 2 (5)
struct Kernels {
  const char* name;
  int lanes;             // floats of a vector
  int panel_columns;     // packing.h
  int depth_step;        // rows of integers are padded to a multiple of it
  bool beats_libraries;  // whether multiply() is as fast as XNNPACK's kernels for this processor
  void (*multiply)(const Product& product);
  void (*winograd_input)(const WinogradInput& task);
  void (*winograd_output)(const WinogradOutput& task);
  void (*sum_columns)(const ColumnRow& task);
  // Null where the portable definition's loops are no slower. `int8_speed`: multiply-adds beside
  // those of multiply() in the same time.
  double int8_speed;
  // 0, or of how many quads products are added up in 16 bits: those of bytes 0 and 1 of all, and
  // those of bytes 2 and 3. Weights that meet there may have magnitudes of kShortWeights together.
  int short_quads;
  void (*quantize)(const QuantizedRows& rows);
  // The extremes of some of the picture's rows, and then rows of integers from them.
  void (*find_extremes)(const Windows& windows, int first_row, int end_row);
  void (*quantize_windows)(const QuantizedWindows& task);
  void (*multiply_int8)(const ProductInt8& product);
  // The same for points of Winograd's tiles, which have no bias and no limits: centered rows, whose
  // `least` is not read. Null where no tiles of integers are faster.
  void (*quantize_centered)(const CenteredRows& rows);
  void (*multiply_centered)(const ProductInt8& product);
  // Null where the columns of single taps, added up afterwards, are no slower.
  void (*multiply_taps_int8)(const TapsInt8& task);
};

// What this processor runs fastest, or what cap_kernels() has left of it.
const Kernels& kernels();

// Every table of this build, the narrowest last, also of sets that this processor lacks.
std::span<const Kernels* const> tables();

// For tests and comparisons: from now on kernels() is the table of this name ("base", "avx2",
// "avx512", "avx512vnni", "amx", "neondot"); null: the processor's best. False where this processor
// lacks it. Sessions that live have packed their weights for the table that was; let them go
// before.
bool cap_kernels(const char* name);

}  // namespace figment::simd
