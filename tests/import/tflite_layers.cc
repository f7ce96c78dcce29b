// Loops over taps and pixels.
#include "tests/import/tflite_layers.h"

#include <cmath>
#include <type_traits>

namespace figment::testing::lite {
namespace {

using tflite::ActivationFunctionType;
using tflite::Padding;

double activated(double y, ActivationFunctionType activation) {
  switch (activation) {
    case ActivationFunctionType::RELU:
      return std::fmax(y, 0);
    case ActivationFunctionType::RELU6:
      return std::fmin(std::fmax(y, 0), 6);
    case ActivationFunctionType::RELU_N1_TO_1:
      return std::fmin(std::fmax(y, -1), 1);
    case ActivationFunctionType::TANH:
      return std::tanh(y);
    default:
      return y;
  }
}

template <typename Table>
tflite::BuiltinOptionsUnion window(const Layer& layer) {
  Table options;
  options.padding = layer.padding;
  options.stride_h = layer.stride[0];
  options.stride_w = layer.stride[1];
  options.fused_activation_function = layer.activation;
  if constexpr (!std::is_same_v<Table, tflite::TransposeConvOptionsT>) {
    options.dilation_h_factor = layer.dilation[0];
    options.dilation_w_factor = layer.dilation[1];
  }
  return options_of(options);
}

}  // namespace

std::vector<double> Layer::run(const std::vector<double>& x, const std::vector<double>& weights,
                               const std::vector<double>& bias) const {
  const int rows = output(0), columns = output(1);
  std::vector<double> y(static_cast<std::size_t>(rows * columns * outputs));
  const int depth = depthwise() ? 1 : channels / groups;
  const int per_group = depthwise() ? outputs / channels : outputs / groups;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      for (int o = 0; o < outputs; ++o) {
        double sum = bias.empty() ? 0 : bias[static_cast<std::size_t>(o)];
        for (int u = 0; u < kernel[0]; ++u)
          for (int v = 0; v < kernel[1]; ++v)
            for (int c = 0; c < depth; ++c) {
              int row = i * stride[0] + u * dilation[0] - before(0);
              int column = j * stride[1] + v * dilation[1] - before(1);
              if (transposed()) {
                row = i + before(0) - u;
                column = j + before(1) - v;
                if (row % stride[0] != 0 || column % stride[1] != 0) continue;
                row /= stride[0];
                column /= stride[1];
              }
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              const int channel = o / per_group * depth + c;
              const int at = (row * width + column) * channels + channel;
              sum += x[static_cast<std::size_t>(at)] * weights[weight(o, u, v, c)];
            }
        const int at = (i * columns + j) * outputs + o;
        y[static_cast<std::size_t>(at)] = activated(sum, activation);
      }
  return y;
}

tflite::BuiltinOptionsUnion Layer::options() const {
  if (transposed()) return window<tflite::TransposeConvOptionsT>(*this);
  if (depthwise()) return window<tflite::DepthwiseConv2DOptionsT>(*this);
  return window<tflite::Conv2DOptionsT>(*this);
}

std::vector<Layer> layers() {
  std::vector<Layer> all(10);
  all[1].padding = Padding::VALID;
  all[2].stride[0] = 2, all[2].stride[1] = 3, all[2].activation = ActivationFunctionType::RELU;
  all[3].dilation[0] = 2, all[3].dilation[1] = 2, all[3].activation = ActivationFunctionType::TANH;
  all[4].channels = 4, all[4].groups = 2, all[4].activation = ActivationFunctionType::RELU_N1_TO_1;
  all[5].kind = BuiltinOperator::DEPTHWISE_CONV_2D, all[5].outputs = 3;
  all[6].kind = BuiltinOperator::DEPTHWISE_CONV_2D, all[6].outputs = 6, all[6].stride[0] = 2;
  for (int at = 7; at < 10; ++at) {
    Layer& layer = all[static_cast<std::size_t>(at)];
    layer.kind = BuiltinOperator::TRANSPOSE_CONV;
    layer.kernel[0] = 3, layer.kernel[1] = 4, layer.stride[0] = layer.stride[1] = 2;
    layer.asked[0] = 10, layer.asked[1] = 12;
  }
  all[7].activation = ActivationFunctionType::RELU6;
  all[8].padding = Padding::VALID, all[8].asked[0] = 11, all[8].asked[1] = 14;
  all[9].padding = Padding::VALID, all[9].asked[0] = 12,
  all[9].asked[1] = 15;  // more than taps reach
  return all;
}

}  // namespace figment::testing::lite
