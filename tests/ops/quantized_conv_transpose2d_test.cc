// QuantizedConvTranspose2D against sums of integers, bit for bit, and its refusals.
#include <doctest/doctest.h>

#include <memory>

#include "tests/ops/quantized_operands.h"

namespace figment::testing {
namespace {

format::OperatorOptionsUnion options_with(const format::Conv2DT& window) {
  format::QuantizedConvTranspose2DT options;
  options.window = std::make_unique<format::Conv2DT>(window);
  return options_of(options);
}

struct Case {
  Shape x;
  int group_outputs, kernel_height, kernel_width;
  format::Conv2DT window = {};  // output padding is negative padding
};

void check(const Case& test, const TestTensor& range) {
  const format::Conv2DT& w = test.window;
  const int inputs = test.x[3] / w.groups;
  const int outputs = test.group_outputs * w.groups;
  const Shape weights_shape =
      shape_of({w.groups, test.kernel_height, test.kernel_width, test.group_outputs, inputs});
  const TestTensor x = int8_tensor(test.x, 1, false);
  const TestTensor weights = int8_tensor(weights_shape, 2, true);
  const TestTensor channels =
      random_channels(outputs, inputs * test.kernel_height * test.kernel_width / 2, 3);
  const int height = (test.x[1] - 1) * w.stride_height - w.pad_top - w.pad_bottom +
                     w.dilation_height * (test.kernel_height - 1) + 1;
  const int width = (test.x[2] - 1) * w.stride_width - w.pad_left - w.pad_right +
                    w.dilation_width * (test.kernel_width - 1) + 1;
  const Shape y = shape_of({test.x[0], height, width, outputs});
  std::vector<std::int64_t> sums(static_cast<std::size_t>(y.elements()), 0);
  for (int n = 0; n < test.x[0]; ++n)
    for (int i = 0; i < test.x[1]; ++i)
      for (int j = 0; j < test.x[2]; ++j)
        for (int u = 0; u < test.kernel_height; ++u)
          for (int v = 0; v < test.kernel_width; ++v) {
            const int row = i * w.stride_height + u * w.dilation_height - w.pad_top;
            const int column = j * w.stride_width + v * w.dilation_width - w.pad_left;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            for (int o = 0; o < outputs; ++o)
              for (int c = 0; c < inputs; ++c) {
                const int group = o / test.group_outputs;
                const int in = x.integers[at(test.x, n, i, j, group * inputs + c)];
                const std::size_t weight =
                    ((at(weights_shape, group, u, v, o % test.group_outputs)) * inputs + c);
                sums[at(y, n, row, column, o)] +=
                    (in - range.integers[0]) * weights.integers[weight];
              }
          }
  std::vector<double> expected;
  for (std::size_t i = 0; i < sums.size(); ++i)
    expected.push_back(requantized(sums[i], channels,
                                   static_cast<int>(i % static_cast<std::size_t>(outputs)), range));
  check_operator(options_with(w), {x, weights, channels, range}, y, expected, 0);
}

format::Conv2DT window(int stride, int dilation, int pad, int padding_out = 0, int groups = 1) {
  format::Conv2DT result;
  result.stride_height = result.stride_width = stride;
  result.dilation_height = result.dilation_width = dilation;
  result.pad_top = result.pad_left = pad;
  result.pad_bottom = result.pad_right = pad - padding_out;
  result.groups = groups;
  return result;
}

TEST_CASE("integer transposed convolutions with zero points") {
  for (int zero_point : {-128, 5, 127}) {
    const TestTensor range = range_of(zero_point, -7);
    check({shape_of({2, 3, 4, 5}), 3, 4, 4, window(2, 1, 1)}, range);
    check({shape_of({1, 4, 3, 6}), 1, 3, 3, window(2, 1, 1, 1)}, range);
    check({shape_of({2, 1, 1, 16}), 4, 4, 4, window(1, 1, 0)}, range);
    check({shape_of({1, 5, 4, 3}), 2, 3, 2, window(1, 1, 1)}, range);
    // Taps farther apart than strides, and in every relation to them.
    check({shape_of({1, 5, 6, 3}), 2, 3, 3, window(2, 3, 2)}, range);
    check({shape_of({1, 5, 6, 3}), 2, 3, 4, window(4, 2, 1, 2)}, range);
    check({shape_of({1, 3, 4, 8}), 2, 3, 3, window(2, 1, 1, 0, 4)}, range);
    // Outputs that no input reaches hold the bias.
    check({shape_of({2, 3, 3, 2}), 3, 2, 2, window(4, 1, 0, 3)}, range);
    // Padding that takes whole inputs away.
    check({shape_of({1, 6, 7, 2}), 3, 3, 3, window(1, 1, 3)}, range);
  }
}

TEST_CASE("clamped, and strides that differ") {
  format::Conv2DT uneven = window(2, 1, 1);
  uneven.stride_width = 3;
  uneven.pad_left = 0;
  uneven.pad_bottom = 0;
  check({shape_of({2, 7, 5, 11}), 6, 4, 5, uneven}, range_of(3, -90, -90, 60));
}

TEST_CASE("integer transposed convolutions that are refused") {
  const TestTensor x = int8_tensor(shape_of({1, 4, 4, 4}), 1, false);
  const TestTensor weights = int8_tensor(shape_of({1, 2, 2, 3, 4}), 2, true);
  const TestTensor channels = random_channels(3, 16, 3);
  const TestTensor range = range_of(0, 0);
  const std::vector<TestTensor> sound = {x, weights, channels, range};
  check_refused(options_of(format::QuantizedConvTranspose2DT{}), sound, {},
                "the window is missing");
  check_refused(options_with(window(0, 1, 0)), sound, {}, "stride_height");
  check_refused(options_with(window(1, 1, -1)), sound, {}, "pad_top");
  check_refused(options_with(window(1, 1, 0, 40000)), sound, {}, "output_padding_height is 32768");
  check_refused(options_with(window(1, 1, 0, 0, 2)), sound, {}, "must begin with 2 groups");
  check_refused(options_with(window(1, 1, 3)), sound, {}, "the output's height");
  check_refused(options_with({}), {x, weights, random_channels(4, 16, 3), range}, {},
                "a constant of 9 int32");
  check_refused(options_with({}), {x, constant(shape_of({1, 2, 2, 3, 4})), channels, range}, {},
                "wrong type of numbers");
}

}  // namespace
}  // namespace figment::testing
