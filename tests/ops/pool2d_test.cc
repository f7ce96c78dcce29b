// Pool2D on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

using format::Pool2DT;
using format::PoolFunction;

int output_extent(const Pool2DT& o, int extent, int before, int after, int kernel, int stride,
                  int dilation) {
  const double steps =
      double(extent + before + after - dilation * (kernel - 1) - 1) / static_cast<double>(stride);
  int output = static_cast<int>(o.ceil_mode ? std::ceil(steps) : std::floor(steps)) + 1;
  if (o.ceil_mode && (output - 1) * stride >= extent + before) --output;
  return output;
}

Shape output_shape(const Pool2DT& o, const Shape& x) {
  return shape_of({x[0],
                   output_extent(o, x[1], o.pad_top, o.pad_bottom, o.kernel_height, o.stride_height,
                                 o.dilation_height),
                   output_extent(o, x[2], o.pad_left, o.pad_right, o.kernel_width, o.stride_width,
                                 o.dilation_width),
                   x[3]});
}

std::vector<double> reference(const Pool2DT& o, const TestTensor& x) {
  const Shape shape = output_shape(o, x.shape);
  std::vector<double> result;
  for (int n = 0; n < shape[0]; ++n)
    for (int y = 0; y < shape[1]; ++y)
      for (int column = 0; column < shape[2]; ++column)
        for (int c = 0; c < shape[3]; ++c) {
          std::vector<double> seen;
          int places = 0;
          for (int ky = 0; ky < o.kernel_height; ++ky)
            for (int kx = 0; kx < o.kernel_width; ++kx) {
              const int in_y = y * o.stride_height + ky * o.dilation_height - o.pad_top;
              const int in_x = column * o.stride_width + kx * o.dilation_width - o.pad_left;
              if (in_y < x.shape[1] + o.pad_bottom && in_x < x.shape[2] + o.pad_right) ++places;
              if (in_y < 0 || in_y >= x.shape[1] || in_x < 0 || in_x >= x.shape[2]) continue;
              seen.push_back(double{x.values[at(x.shape, n, in_y, in_x, c)]});
            }
          double sum = 0;
          for (double value : seen) sum += value;
          const int divisor = o.count_include_pad ? places : static_cast<int>(seen.size());
          if (seen.empty()) {
            result.push_back(0);
          } else if (o.function == PoolFunction::Max) {
            result.push_back(*std::max_element(seen.begin(), seen.end()));
          } else {
            result.push_back(sum / divisor);
          }
        }
  return result;
}

void check(Pool2DT options, const Shape& shape, float offset = 0) {
  CAPTURE(options.kernel_height);
  CAPTURE(options.stride_height);
  CAPTURE(options.pad_top);
  CAPTURE(options.ceil_mode);
  CAPTURE(options.count_include_pad);
  TestTensor x = batched_input(shape);
  for (float& value : x.values) value += offset;
  for (PoolFunction function : {PoolFunction::Max, PoolFunction::Average}) {
    options.function = function;
    CAPTURE(function == PoolFunction::Max ? "max" : "average");
    const std::vector<double> expected = reference(options, x);
    check_operator(options_of(options), {x}, output_shape(options, shape), expected);
    check_operator(options_of(options), {x}, output_shape(options, shape), leaky_relu_of(expected),
                   1e-5, leaky_relu());
  }
}

// Paddings: top, bottom, left, right.
Pool2DT pooling(int kernel, int stride, std::vector<int> pads = {0, 0, 0, 0},
                bool ceil_mode = false, bool count_include_pad = false) {
  Pool2DT options;
  options.kernel_height = options.kernel_width = kernel;
  options.stride_height = options.stride_width = stride;
  options.pad_top = pads[0];
  options.pad_bottom = pads[1];
  options.pad_left = pads[2];
  options.pad_right = pads[3];
  options.ceil_mode = ceil_mode;
  options.count_include_pad = count_include_pad;
  return options;
}

TEST_CASE("pooling of awkward sizes") {
  for (int batch : {1, 5})
    for (int channels : {1, 3, 7, 17, 24}) {
      check(pooling(2, 2), shape_of({batch, 7, 13, channels}));
      check(pooling(3, 2, {1, 1, 1, 1}), shape_of({batch, 5, 7, channels}));
    }
}

TEST_CASE("every way to count at the edges") {
  for (bool ceil_mode : {false, true})
    for (bool count_include_pad : {false, true})
      for (int stride : {1, 2, 3})
        for (int extent : {5, 6, 7}) {
          check(pooling(3, stride, {1, 1, 1, 1}, ceil_mode, count_include_pad),
                shape_of({2, extent, 7, 3}));
          check(pooling(3, stride, {0, 2, 1, 0}, ceil_mode, count_include_pad),
                shape_of({1, extent, extent, 3}));
          // The last window would begin in the trailing padding.
          check(pooling(2, stride, {1, 1, 1, 1}, ceil_mode, count_include_pad),
                shape_of({1, extent, 7, 3}));
        }
}

TEST_CASE("dilation, uneven kernels, the whole picture") {
  Pool2DT options = pooling(2, 1, {1, 1, 1, 1});
  options.dilation_height = options.dilation_width = 2;
  check(options, shape_of({1, 7, 13, 3}));
  options.ceil_mode = options.count_include_pad = true;
  options.stride_height = 3;
  check(options, shape_of({5, 7, 5, 3}));
  Pool2DT uneven = pooling(1, 1);
  uneven.kernel_height = 3;
  uneven.kernel_width = 5;
  uneven.stride_width = 2;
  check(uneven, shape_of({1, 7, 13, 24}));
  check(pooling(7, 1), shape_of({5, 7, 7, 17}));
}

TEST_CASE("the average of a big map loses nothing") {
  check(pooling(200, 1), shape_of({1, 200, 200, 3}), 1000.0f);
}

TEST_CASE("a window that sees no pixel gives 0") {
  // Taps at -4 and 1 of a picture of one pixel.
  Pool2DT options = pooling(2, 1, {4, 4, 4, 4});
  options.dilation_height = options.dilation_width = 5;
  TestTensor x = batched_input(shape_of({1, 1, 1, 3}));
  for (PoolFunction function : {PoolFunction::Max, PoolFunction::Average}) {
    options.function = function;
    check_operator_on(Backend::kPortable, options_of(options), {x}, output_shape(options, x.shape),
                      reference(options, x));
  }
}

TEST_CASE("poolings that are refused") {
  const std::vector<TestTensor> x = {batched_input(shape_of({1, 7, 7, 3}))};
  const auto refuse = [&](int Pool2DT::*field, int value, const char* words) {
    Pool2DT options = pooling(3, 2, {1, 1, 1, 1});
    options.*field = value;
    check_refused(options_of(options), x, {}, words);
  };
  for (int damaged : {0, -1, INT32_MAX}) {
    refuse(&Pool2DT::kernel_height, damaged, "kernel_height is");
    refuse(&Pool2DT::kernel_width, damaged, "kernel_width is");
    refuse(&Pool2DT::stride_height, damaged, "stride_height is");
    refuse(&Pool2DT::stride_width, damaged, "stride_width is");
    refuse(&Pool2DT::dilation_height, damaged, "dilation_height is");
    refuse(&Pool2DT::dilation_width, damaged, "dilation_width is");
  }
  for (int damaged : {-1, INT32_MAX}) {
    refuse(&Pool2DT::pad_top, damaged, "pad_top is");
    refuse(&Pool2DT::pad_bottom, damaged, "pad_bottom is");
    refuse(&Pool2DT::pad_left, damaged, "pad_left is");
    refuse(&Pool2DT::pad_right, damaged, "pad_right is");
  }
  refuse(&Pool2DT::pad_top, 3, "the padding of the height is 3");
  refuse(&Pool2DT::pad_right, 3, "the padding of the width is 3");
  refuse(&Pool2DT::kernel_height, 10, "the output's height is 0");
  refuse(&Pool2DT::kernel_width, 10, "the output's width is 0");
  Pool2DT unknown = pooling(2, 2);
  unknown.function = static_cast<PoolFunction>(9);
  check_refused(options_of(unknown), x, {}, "newer than this runtime");
  check_refused(options_of(pooling(2, 2)), {batched_input(shape_of({1, 7, 7}))}, {}, "4 axes");
}

}  // namespace
}  // namespace figment::testing
