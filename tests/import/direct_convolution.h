// Convolutions by their definition, in double precision and N,C,H,W: what the imported ones are
// compared with.
#pragma once

#include <cstdint>
#include <vector>

namespace figment::testing {

struct Convolution {
  int channels = 1, outputs = 1, groups = 1;
  int height = 1, width = 1;
  int kernel[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1};
  int before[2] = {0, 0}, after[2] = {0, 0}, output_padding[2] = {0, 0};

  int span(int axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
  int extent(int axis) const { return axis == 0 ? height : width; }
  int convolved(int axis) const {
    return (extent(axis) + before[axis] + after[axis] - span(axis)) / stride[axis] + 1;
  }
  int transposed(int axis) const {
    return (extent(axis) - 1) * stride[axis] - before[axis] - after[axis] + span(axis) +
           output_padding[axis];
  }

  // x [channels,H,W], weights [outputs, channels/groups, kh, kw], bias [outputs] or empty
  std::vector<double> convolve(const std::vector<float>& x, const std::vector<float>& weights,
                               const std::vector<float>& bias) const;
  // x [channels,H,W], weights [channels, outputs/groups, kh, kw], bias [outputs] or empty
  std::vector<double> transpose(const std::vector<float>& x, const std::vector<float>& weights,
                                const std::vector<float>& bias) const;
};

}  // namespace figment::testing
