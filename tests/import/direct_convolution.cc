// Convolutions by their definition.
#include "tests/import/direct_convolution.h"

namespace figment::testing {
namespace {

double at(const std::vector<float>& values, std::int64_t index) {
  return static_cast<double>(values[static_cast<std::size_t>(index)]);
}

// Calls visit(input pixel, output pixel, input channel, output channel, tap row, tap column) for
// every product of the convolution that slides from `small` to `large` pixels; that is one out of
// range of `large` is left out.
template <typename Visit>
void for_each_tap(const Convolution& c, int small_height, int small_width, int large_height,
                  int large_width, Visit visit) {
  for (int row = 0; row < small_height; ++row)
    for (int column = 0; column < small_width; ++column)
      for (int i = 0; i < c.kernel[0]; ++i)
        for (int j = 0; j < c.kernel[1]; ++j) {
          const int large_row = row * c.stride[0] - c.before[0] + i * c.dilation[0];
          const int large_column = column * c.stride[1] - c.before[1] + j * c.dilation[1];
          if (large_row < 0 || large_row >= large_height || large_column < 0 ||
              large_column >= large_width)
            continue;
          visit(row * small_width + column, large_row * large_width + large_column, i, j);
        }
}

}  // namespace

std::vector<double> Convolution::convolve(const std::vector<float>& x,
                                          const std::vector<float>& weights,
                                          const std::vector<float>& bias) const {
  const int rows = convolved(0), columns = convolved(1), share = channels / groups;
  std::vector<double> y(static_cast<std::size_t>(outputs * rows * columns), 0);
  for (int output = 0; output < outputs; ++output) {
    const int first = output / (outputs / groups) * share;
    double* target = y.data() + output * rows * columns;
    for_each_tap(*this, rows, columns, height, width, [&](int small, int large, int i, int j) {
      for (int channel = 0; channel < share; ++channel)
        target[small] += at(x, (first + channel) * height * width + large) *
                         at(weights, ((output * share + channel) * kernel[0] + i) * kernel[1] + j);
    });
    for (int pixel = 0; pixel < rows * columns && !bias.empty(); ++pixel)
      target[pixel] += at(bias, output);
  }
  return y;
}

std::vector<double> Convolution::transpose(const std::vector<float>& x,
                                           const std::vector<float>& weights,
                                           const std::vector<float>& bias) const {
  const int rows = transposed(0), columns = transposed(1), share = outputs / groups;
  std::vector<double> y(static_cast<std::size_t>(outputs * rows * columns), 0);
  for (int channel = 0; channel < channels; ++channel) {
    const int first = channel / (channels / groups) * share;
    for_each_tap(*this, height, width, rows, columns, [&](int small, int large, int i, int j) {
      for (int output = 0; output < share; ++output)
        y[static_cast<std::size_t>((first + output) * rows * columns + large)] +=
            at(x, channel * height * width + small) *
            at(weights, ((channel * share + output) * kernel[0] + i) * kernel[1] + j);
    });
  }
  for (int output = 0; output < outputs && !bias.empty(); ++output)
    for (int pixel = 0; pixel < rows * columns; ++pixel)
      y[static_cast<std::size_t>(output * rows * columns + pixel)] += at(bias, output);
  return y;
}

}  // namespace figment::testing
