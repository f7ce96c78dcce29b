// What Winograd's way knows of an operation, and its weights at every point.
#pragma once

#include "runtime/simd/packing.h"
#include "runtime/xnnpack/kernel.h"

namespace figment::xnnpack {

// The convolution that an operation is.
struct WinogradGeometry {
  int taps;                         // per side
  int stride_height, stride_width;  // of a transposed convolution; else 1
  int pad_top, pad_left;            // of the input
  int crop_top, crop_left;          // of the output
  int down, across;                 // places where the window stands, strides apart
  int inputs, outputs;              // channels
  int phases() const { return stride_height * stride_width; }
};

// How it is cut.
struct WinogradTiling {
  int width, step;
  int down, across;
  int points() const { return width * width; }
};

// Writes the weights of every point, one after another: packed, or where `packing` is null as
// [columns, inputs].
void transform_weights(const Operation& operation, const WinogradGeometry& geometry,
                       const WinogradTiling& tiling, const simd::Packing* packing, float* to);

}  // namespace figment::xnnpack
