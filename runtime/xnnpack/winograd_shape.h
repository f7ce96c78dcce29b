// What Winograd's ways know of an operation: the convolution that it is, and how it is cut into
// tiles.
//
// A transposed convolution is a convolution too: outputs a stride apart see the same inputs through
// other taps, so one convolution of ceil(kernel / stride) taps gives the stride * stride phases as
// so many times the channels, and writing them interleaves (sub-pixel convolution).
#pragma once

#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/ways.h"

namespace figment::xnnpack {

// Points of a block of tiles that are held at a time, inputs' and outputs': half of a second-level
// cache of 1 MB.
inline constexpr std::int64_t kPointBytes = 512 * 1024;
inline constexpr std::int64_t kLeastTiles =
    14;  // of a block; fewer would read the weights too often
// The points' weights take up to four times the memory of the taps', and outputs are less exact;
// that must save a quarter of the time.
inline constexpr double kWinogradPrice = 1.35;
// Floats between points, so that they do not all fall on the same few lines of a cache.
inline constexpr std::int64_t kPointGap = 16;

struct WinogradGeometry {
  int taps;                         // per side
  int stride_height, stride_width;  // of a transposed convolution; else 1
  int pad_top, pad_left;            // of the input
  int crop_top, crop_left;          // of the output
  int down, across;                 // places where the window stands, strides apart
  int inputs, outputs;              // channels
  int phases() const { return stride_height * stride_width; }
  int columns() const { return phases() * outputs; }
};

struct WinogradTiling {
  int width, step;
  int down, across;
  int points() const { return width * width; }
};

WinogradGeometry winograd_geometry(const Operation& operation);
WinogradTiling winograd_tiling(const WinogradGeometry& geometry, int width);
// Whether tiles of `width` x `width` points give the operation, which has constant weights.
bool winograd_suits(const Operation& operation, int width);
// Of one tile, to points and back.
Cost winograd_transform_cost(const WinogradGeometry& geometry, const WinogradTiling& tiling);

// How a run's tiles are shared out: blocks of so many, as even as can be, the same number for each
// lane.
struct TileShares {
  std::int64_t lanes, block;
};
// `most`: tiles of a block; `threads`: those that have lanes of their own, or null.
TileShares share_tiles(std::int64_t tiles, std::int64_t most, pthreadpool* threads);

// A copy of the bias in the arena, beside what else is read in each run; null where there is none.
Status keep_bias(const Operation& operation, Build& build, const float*& bias);

// The transforms of a run; the caller fills in which tiles, and where their points stand.
struct WinogradTasks {
  simd::WinogradInput input;
  simd::WinogradOutput output;
};
WinogradTasks winograd_tasks(const Operation& operation, const WinogradGeometry& geometry,
                             const WinogradTiling& tiling, const float* bias, const Fused& fused);

}  // namespace figment::xnnpack
