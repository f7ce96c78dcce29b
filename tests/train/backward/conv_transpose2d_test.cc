// Gradients of transposed convolutions against central differences in double precision, and against
// PyTorch's.
#include <doctest/doctest.h>

#include <array>

#include "tests/train/backward/torch_goldens.h"

namespace figment::testing {
namespace {

struct Picture {
  int batch, height, width, channels;
};

format::ConvTranspose2DT with(int stride, int dilation, int groups, std::array<int, 4> pads,
                              int output_padding = 0) {
  format::ConvTranspose2DT options;
  options.stride_height = options.stride_width = stride;
  options.dilation_height = options.dilation_width = dilation;
  options.pad_top = pads[0];
  options.pad_bottom = pads[1];
  options.pad_left = pads[2];
  options.pad_right = pads[3];
  options.groups = groups;
  options.output_padding_height = options.output_padding_width = output_padding;
  return options;
}

void check_transposed(const Picture& x, int outputs, int kernel_height, int kernel_width,
                      const format::ConvTranspose2DT& options, bool with_bias) {
  CAPTURE(x.height);
  CAPTURE(x.channels);
  CAPTURE(outputs);
  CAPTURE(kernel_width);
  CAPTURE(options.stride_width);
  CAPTURE(options.groups);
  const int inputs = x.channels / options.groups;
  const int group_outputs = outputs / options.groups;
  const int height = (x.height - 1) * options.stride_height - options.pad_top - options.pad_bottom +
                     options.dilation_height * (kernel_height - 1) + options.output_padding_height +
                     1;
  const int width = (x.width - 1) * options.stride_width - options.pad_left - options.pad_right +
                    options.dilation_width * (kernel_width - 1) + options.output_padding_width + 1;
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {
      random_operand({x.batch, x.height, x.width, x.channels}, 1),
      random_operand({options.groups, kernel_height, kernel_width, group_outputs, inputs}, 2),
      with_bias ? random_operand({outputs}, 3) : no_operand()};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y(element(x.batch * height * width * outputs));
    const auto at = [&](int n, int row, int column, int output) -> double& {
      return y[element(((n * height + row) * width + column) * outputs + output)];
    };
    for (int n = 0; n < x.batch; ++n)
      for (int row = 0; row < height; ++row)
        for (int column = 0; column < width; ++column)
          for (int output = 0; output < outputs; ++output)
            at(n, row, column, output) = with_bias ? operands[2][element(output)] : 0.0;
    for (int n = 0; n < x.batch; ++n)
      for (int i = 0; i < x.height; ++i)
        for (int j = 0; j < x.width; ++j)
          for (int u = 0; u < kernel_height; ++u)
            for (int v = 0; v < kernel_width; ++v) {
              const int row =
                  i * options.stride_height + u * options.dilation_height - options.pad_top;
              const int column =
                  j * options.stride_width + v * options.dilation_width - options.pad_left;
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              for (int output = 0; output < outputs; ++output) {
                const int group = output / group_outputs;
                for (int c = 0; c < inputs; ++c)
                  at(n, row, column, output) +=
                      operands[0][element(((n * x.height + i) * x.width + j) * x.channels +
                                          group * inputs + c)] *
                      operands[1][element(
                          (((group * kernel_height + u) * kernel_width + v) * group_outputs +
                           output % group_outputs) *
                              inputs +
                          c)];
              }
            }
    return y;
  };
  check_backward(test);
}

TEST_CASE("gradients of transposed convolutions") {
  check_transposed({2, 3, 4, 3}, 5, 4, 4, with(2, 1, 1, {1, 1, 1, 1}), true);
  check_transposed({1, 4, 3, 5}, 2, 3, 3, with(1, 1, 1, {1, 1, 1, 1}), true);
  check_transposed({2, 3, 2, 1}, 17, 2, 3, with(2, 1, 1, {0, 1, 1, 0}), false);
  check_transposed({1, 2, 3, 2}, 1, 5, 3, with(3, 1, 1, {2, 2, 1, 1}), true);
}

TEST_CASE("gradients of transposed convolutions with output padding, and with gaps") {
  check_transposed({2, 3, 3, 2}, 3, 3, 3, with(2, 1, 1, {1, 1, 1, 1}, 1), true);
  check_transposed({1, 2, 3, 2}, 3, 2, 2, with(4, 1, 1, {0, 0, 0, 0}, 3), true);
  check_transposed({1, 3, 2, 2}, 2, 1, 1, with(1, 1, 1, {0, 0, 0, 0}, 2), true);
}

TEST_CASE("gradients of dilated transposed convolutions") {
  check_transposed({1, 4, 3, 2}, 3, 3, 3, with(1, 2, 1, {1, 2, 0, 1}), true);
  check_transposed({1, 3, 4, 2}, 2, 2, 3, with(2, 3, 1, {1, 0, 3, 1}), false);
}

TEST_CASE("gradients of grouped transposed convolutions") {
  check_transposed({2, 3, 3, 6}, 4, 3, 3, with(2, 1, 2, {1, 1, 1, 1}), true);
  check_transposed({1, 3, 2, 3}, 6, 2, 2, with(1, 1, 3, {1, 0, 0, 1}), true);
  check_transposed({1, 3, 3, 4}, 6, 1, 1, with(1, 1, 2, {0, 0, 0, 0}), true);
}

TEST_CASE("gradients of depthwise transposed convolutions") {
  check_transposed({2, 3, 4, 5}, 5, 4, 4, with(2, 1, 5, {1, 1, 1, 1}), true);
  check_transposed({1, 3, 3, 3}, 3, 3, 2, with(2, 2, 3, {1, 2, 0, 1}, 1), false);
}

TEST_CASE("gradients of transposed convolutions whose columns are the picture") {
  check_transposed({2, 3, 4, 5}, 3, 1, 1, with(1, 1, 1, {0, 0, 0, 0}), true);
  check_transposed({3, 1, 1, 7}, 2, 3, 4, with(1, 1, 1, {0, 0, 0, 0}), true);
}

TEST_CASE("gradients of transposed convolutions are those of PyTorch") {
  check_torch_golden("conv_transpose2d", options_of(with(2, 1, 1, {1, 1, 1, 1})));
  check_torch_golden("conv_transpose2d_grouped", options_of(with(2, 2, 2, {1, 1, 1, 1}, 1)));
}

}  // namespace
}  // namespace figment::testing
