// Convolutions of TFLite by their definition, in double precision: what the imported ones are
// compared with.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {

// One layer over a picture [1, height, width, channels].
struct Layer {
  BuiltinOperator kind = BuiltinOperator::CONV_2D;
  int height = 5, width = 6, channels = 3, outputs = 4;
  int kernel[2] = {3, 2}, stride[2] = {1, 1}, dilation[2] = {1, 1};
  tflite::Padding padding = tflite::Padding::SAME;
  int groups = 1;
  tflite::ActivationFunctionType activation = tflite::ActivationFunctionType::NONE;
  int asked[2] = {0, 0};  // the transposed convolution's output

  bool transposed() const { return kind == BuiltinOperator::TRANSPOSE_CONV; }
  bool depthwise() const { return kind == BuiltinOperator::DEPTHWISE_CONV_2D; }
  int extent(int axis) const { return axis == 0 ? height : width; }
  int span(int axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
  int output(int axis) const {
    if (transposed()) return asked[axis];
    return padding == tflite::Padding::SAME ? (extent(axis) + stride[axis] - 1) / stride[axis]
                                            : (extent(axis) - span(axis)) / stride[axis] + 1;
  }
  int before(int axis) const {
    if (padding == tflite::Padding::VALID) return 0;
    const int many = transposed() ? asked[axis] : extent(axis);
    const int few = transposed() ? (many + stride[axis] - 1) / stride[axis] : output(axis);
    return std::max(0, (few - 1) * stride[axis] + span(axis) - many) / 2;
  }
  Extents x_shape() const { return {1, height, width, channels}; }
  Extents y_shape() const { return {1, output(0), output(1), outputs}; }
  Extents weights_shape() const {
    if (depthwise()) return {1, kernel[0], kernel[1], outputs};
    return {outputs, kernel[0], kernel[1], channels / groups};
  }
  std::int64_t weight_count() const {
    const Extents shape = weights_shape();
    return shape[0] * shape[1] * shape[2] * shape[3];
  }
  // The place of a weight in the file.
  std::size_t weight(int o, int u, int v, int c) const {
    const int depth = static_cast<int>(weights_shape()[3]);
    return static_cast<std::size_t>(depthwise()
                                        ? (u * kernel[1] + v) * outputs + o
                                        : ((o * kernel[0] + u) * kernel[1] + v) * depth + c);
  }
  std::vector<double> run(const std::vector<double>& x, const std::vector<double>& weights,
                          const std::vector<double>& bias) const;
  tflite::BuiltinOptionsUnion options() const;
};

// One of each kind, with strides, dilations, groups and fused activations.
std::vector<Layer> layers();

}  // namespace figment::testing::lite
