// Loops over rows of pixels, for each instruction set.
#pragma once

#include <cstdint>

namespace figment::train {

// `pixels` of `channels` floats in x and in y, each `x_step` and `y_step` floats after the one
// before, and weights for the channels, `weights_step` floats on for each pixel.
struct PixelRow {
  const float* x;
  std::int64_t x_step;
  const float* weights = nullptr;
  std::int64_t weights_step = 0;
  float* y;
  std::int64_t y_step;
  std::int64_t pixels, channels;
};

}  // namespace figment::train
