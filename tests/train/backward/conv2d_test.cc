// Gradients of convolutions against central differences in double precision, and against PyTorch's.
#include <doctest/doctest.h>

#include <array>

#include "tests/train/backward/torch_goldens.h"

namespace figment::testing {
namespace {

struct Picture {
  int batch, height, width, channels;
};

format::Conv2DT with(int stride, int dilation, int groups, std::array<int, 4> pads) {
  format::Conv2DT options;
  options.stride_height = options.stride_width = stride;
  options.dilation_height = options.dilation_width = dilation;
  options.pad_top = pads[0];
  options.pad_bottom = pads[1];
  options.pad_left = pads[2];
  options.pad_right = pads[3];
  options.groups = groups;
  return options;
}

void check_conv(const Picture& x, int outputs, int kernel_height, int kernel_width,
                const format::Conv2DT& options, bool with_bias) {
  CAPTURE(x.height);
  CAPTURE(x.channels);
  CAPTURE(outputs);
  CAPTURE(kernel_width);
  CAPTURE(options.stride_width);
  CAPTURE(options.groups);
  const int inputs = x.channels / options.groups;
  const int height = (x.height + options.pad_top + options.pad_bottom -
                      options.dilation_height * (kernel_height - 1) - 1) /
                         options.stride_height +
                     1;
  const int width = (x.width + options.pad_left + options.pad_right -
                     options.dilation_width * (kernel_width - 1) - 1) /
                        options.stride_width +
                    1;
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {random_operand({x.batch, x.height, x.width, x.channels}, 1),
                   random_operand({outputs, kernel_height, kernel_width, inputs}, 2),
                   with_bias ? random_operand({outputs}, 3) : no_operand()};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    for (int n = 0; n < x.batch; ++n)
      for (int i = 0; i < height; ++i)
        for (int j = 0; j < width; ++j)
          for (int output = 0; output < outputs; ++output) {
            double sum = with_bias ? operands[2][element(output)] : 0.0;
            const int group = output / (outputs / options.groups);
            for (int u = 0; u < kernel_height; ++u)
              for (int v = 0; v < kernel_width; ++v) {
                const int row =
                    i * options.stride_height + u * options.dilation_height - options.pad_top;
                const int column =
                    j * options.stride_width + v * options.dilation_width - options.pad_left;
                if (row < 0 || row >= x.height || column < 0 || column >= x.width) continue;
                for (int c = 0; c < inputs; ++c)
                  sum +=
                      operands[0][element(((n * x.height + row) * x.width + column) * x.channels +
                                          group * inputs + c)] *
                      operands[1][element(
                          ((output * kernel_height + u) * kernel_width + v) * inputs + c)];
              }
            y.push_back(sum);
          }
    return y;
  };
  check_backward(test);
}

TEST_CASE("gradients of convolutions") {
  check_conv({2, 5, 7, 3}, 5, 3, 3, with(1, 1, 1, {1, 1, 1, 1}), true);
  check_conv({2, 6, 6, 5}, 3, 4, 4, with(2, 1, 1, {1, 1, 1, 1}), true);
  check_conv({1, 5, 4, 2}, 17, 2, 3, with(1, 1, 1, {0, 1, 2, 0}), false);
  check_conv({3, 7, 5, 1}, 1, 5, 3, with(3, 1, 1, {2, 2, 1, 1}), true);
}

TEST_CASE("gradients of convolutions whose windows miss pixels") {
  check_conv({1, 8, 7, 2}, 3, 2, 2, with(3, 1, 1, {0, 0, 0, 0}), true);
  check_conv({2, 6, 9, 2}, 2, 1, 1, with(2, 1, 1, {0, 0, 0, 0}), false);
}

TEST_CASE("gradients of dilated convolutions") {
  check_conv({1, 8, 9, 2}, 3, 3, 3, with(1, 2, 1, {2, 2, 2, 2}), true);
  check_conv({1, 9, 8, 3}, 2, 2, 3, with(2, 3, 1, {1, 0, 3, 1}), false);
}

TEST_CASE("gradients of convolutions with few outputs") {
  check_conv({2, 5, 6, 7}, 3, 3, 3, with(1, 1, 1, {1, 1, 1, 1}), true);
  check_conv({1, 6, 5, 9}, 8, 2, 3, with(1, 1, 1, {0, 1, 2, 0}), false);
  check_conv({1, 7, 8, 4}, 1, 3, 2, with(1, 2, 1, {2, 1, 0, 2}), true);
  check_conv({1, 3, 3, 4}, 2, 2, 2, with(1, 1, 1, {2, 2, 3, 3}), true);  // more padding than taps
}

TEST_CASE("gradients of grouped convolutions") {
  check_conv({2, 5, 5, 6}, 4, 3, 3, with(1, 1, 2, {1, 1, 1, 1}), true);
  check_conv({1, 5, 6, 3}, 6, 2, 2, with(2, 1, 3, {1, 0, 0, 1}), true);
  check_conv({1, 4, 4, 6}, 9, 1, 1, with(1, 1, 3, {0, 0, 0, 0}), true);
}

TEST_CASE("gradients of depthwise convolutions") {
  check_conv({2, 5, 6, 5}, 5, 3, 3, with(1, 1, 5, {1, 1, 1, 1}), true);
  check_conv({1, 7, 6, 3}, 3, 3, 2, with(2, 2, 3, {1, 2, 0, 1}), false);
  check_conv({1, 2, 2, 65}, 65, 2, 2, with(1, 1, 65, {1, 0, 1, 0}), false);
}

TEST_CASE("gradients of convolutions whose columns are the picture") {
  check_conv({2, 3, 4, 5}, 3, 1, 1, with(1, 1, 1, {0, 0, 0, 0}), true);
  check_conv({3, 3, 4, 2}, 3, 3, 4, with(1, 1, 1, {0, 0, 0, 0}), true);
  check_conv({2, 3, 3, 2}, 2, 1, 1, with(1, 1, 1, {1, 1, 1, 1}), true);
}

TEST_CASE("gradients of convolutions are those of PyTorch") {
  check_torch_golden("conv2d", options_of(with(2, 1, 1, {1, 1, 1, 1})));
  check_torch_golden("conv2d_grouped", options_of(with(1, 2, 2, {2, 2, 2, 2})));
}

}  // namespace
}  // namespace figment::testing
