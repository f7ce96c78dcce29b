// QuantizedConv2D against sums of integers, bit for bit, and its refusals.
#include <doctest/doctest.h>

#include <memory>

#include "tests/ops/quantized_operands.h"

namespace figment::testing {
namespace {

format::OperatorOptionsUnion options_with(const format::Conv2DT& window) {
  format::QuantizedConv2DT options;
  options.window = std::make_unique<format::Conv2DT>(window);
  return options_of(options);
}

struct Case {
  Shape x;
  int outputs, kernel_height, kernel_width;
  format::Conv2DT window = {};
};

void check(const Case& test, const TestTensor& range) {
  const format::Conv2DT& w = test.window;
  const int inputs = test.x[3] / w.groups;
  const int group_outputs = test.outputs / w.groups;
  const Shape weights_shape =
      shape_of({test.outputs, test.kernel_height, test.kernel_width, inputs});
  const TestTensor x = int8_tensor(test.x, 1, false);
  const TestTensor weights = int8_tensor(weights_shape, 2, true);
  const TestTensor channels =
      random_channels(test.outputs, weights_shape.elements() / test.outputs, 3);
  const int height =
      (test.x[1] + w.pad_top + w.pad_bottom - (test.kernel_height - 1) * w.dilation_height - 1) /
          w.stride_height +
      1;
  const int width =
      (test.x[2] + w.pad_left + w.pad_right - (test.kernel_width - 1) * w.dilation_width - 1) /
          w.stride_width +
      1;
  std::vector<double> expected;
  for (int n = 0; n < test.x[0]; ++n)
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width; ++j)
        for (int o = 0; o < test.outputs; ++o) {
          std::int64_t sum = 0;
          for (int u = 0; u < test.kernel_height; ++u)
            for (int v = 0; v < test.kernel_width; ++v)
              for (int c = 0; c < inputs; ++c) {
                const int row = i * w.stride_height + u * w.dilation_height - w.pad_top;
                const int column = j * w.stride_width + v * w.dilation_width - w.pad_left;
                if (row < 0 || row >= test.x[1] || column < 0 || column >= test.x[2]) continue;
                const int channel = o / group_outputs * inputs + c;
                sum += (x.integers[at(test.x, n, row, column, channel)] - range.integers[0]) *
                       weights.integers[at(weights_shape, o, u, v, c)];
              }
          expected.push_back(requantized(sum, channels, o, range));
        }
  check_operator(options_with(w), {x, weights, channels, range},
                 shape_of({test.x[0], height, width, test.outputs}), expected, 0);
}

format::Conv2DT window(int stride, int dilation, int pad, int groups = 1) {
  format::Conv2DT result;
  result.stride_height = result.stride_width = stride;
  result.dilation_height = result.dilation_width = dilation;
  result.pad_top = result.pad_left = pad;
  result.pad_bottom = pad + 1;
  result.pad_right = pad;
  result.groups = groups;
  return result;
}

TEST_CASE("integer convolutions with zero points") {
  for (int zero_point : {-128, -1, 127}) {
    const TestTensor range = range_of(zero_point, 9);
    check({shape_of({2, 5, 7, 3}), 4, 3, 3, window(1, 1, 1)}, range);
    check({shape_of({1, 9, 8, 5}), 3, 3, 2, window(2, 1, 1)}, range);
    check({shape_of({3, 9, 8, 2}), 7, 2, 3, window(1, 2, 2)}, range);
    check({shape_of({1, 4, 5, 6}), 4, 3, 3, window(1, 1, 1, 2)}, range);
    check({shape_of({2, 6, 5, 8}), 8, 3, 3, window(1, 1, 1, 8)}, range);
    check({shape_of({2, 3, 5, 11}), 6, 1, 1, {}}, range);
    // A window that reaches past the picture everywhere.
    check({shape_of({1, 2, 2, 3}), 2, 5, 5, window(1, 1, 4)}, range);
  }
}

TEST_CASE("clamped, and more pixels than are wide at a time") {
  check({shape_of({2, 13, 11, 33}), 5, 3, 3, window(1, 1, 1)}, range_of(4, -100, -100, 50));
  check({shape_of({1, 3, 3, 600}), 2, 3, 3, window(1, 1, 1)}, range_of(4, 0));
}

TEST_CASE("integer convolutions that are refused") {
  const TestTensor x = int8_tensor(shape_of({1, 4, 4, 4}), 1, false);
  const TestTensor weights = int8_tensor(shape_of({3, 2, 2, 4}), 2, true);
  const TestTensor channels = random_channels(3, 16, 3);
  const TestTensor range = range_of(0, 0);
  check_refused(options_of(format::QuantizedConv2DT{}), {x, weights, channels, range}, {},
                "the window is missing");
  check_refused(options_with(window(0, 1, 0)), {x, weights, channels, range}, {}, "stride_height");
  check_refused(options_with(window(1, 1, 0, 2)), {x, weights, channels, range}, {}, "groups");
  check_refused(options_with({}), {x, weights, random_channels(4, 16, 3), range}, {},
                "a constant of 9 int32");
  check_refused(options_with({}), {batched_input(shape_of({1, 4, 4, 4})), weights, channels, range},
                {}, "wrong type of numbers");
  check_refused(options_with({}),
                {int8_tensor(shape_of({1, 4, 4, 5}), 1, false), weights, channels, range}, {},
                "a group of the picture has 5 channels");
}

}  // namespace
}  // namespace figment::testing
