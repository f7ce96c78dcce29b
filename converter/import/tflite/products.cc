// Convolutions, fully connected layers and matrix products: in integers where all is int8, with
// int8 weights where only they are, else in float32.
#include "converter/import/tflite/product_layer.h"

#include <algorithm>
#include <numeric>

#include "converter/import/tflite/families.h"
#include "converter/import/tflite/window.h"

namespace figment::converter {
namespace {

int kernel_extent(const TfliteNode& node, const Shape& weights, int axis) {
  return node.checked_int(weights[axis], "kernel", 1);
}

// The weights' shape in the file, of `rank` axes.
Shape weights_shape(const TfliteNode& node, TensorId weights, int rank) {
  const Shape shape = node.shape(weights);
  if (shape.rank != rank || shape.elements() == 0)
    node.refuse("its weights have shape " + describe(shape) + ", but must have " +
                std::to_string(rank) + " axes");
  return shape;
}

// x [N,H,W,C], weights [outputs, kernel_h, kernel_w, C/groups], bias [outputs] or absent
void conv(TfliteNode& node) {
  const auto& source = node.options<tflite::Conv2DOptions>();
  ProductLayer layer(node, 0, 1, 2, 0, source.fused_activation_function());
  require_picture(node, layer.x());
  const Shape weights = weights_shape(node, layer.weights(), 4);
  format::Conv2DT options;
  set_strides(node, source, options);
  options.dilation_height = node.checked_int(source.dilation_h_factor(), "dilation", 1);
  options.dilation_width = node.checked_int(source.dilation_w_factor(), "dilation", 1);
  set_padding(node, layer.x(), source.padding(), kernel_extent(node, weights, 1),
              kernel_extent(node, weights, 2), options);
  const int channels = node.shape(layer.x())[3];
  if (channels % weights[3] != 0)
    node.refuse("its weights are for " + std::to_string(weights[3]) + " channels, but x has " +
                std::to_string(channels));
  options.groups = channels / weights[3];
  layer.emit(make_options(options));
}

// x [N,H,W,C], weights [1, kernel_h, kernel_w, C * multiplier], bias [C * multiplier] or absent
void depthwise_conv(TfliteNode& node) {
  const auto& source = node.options<tflite::DepthwiseConv2DOptions>();
  ProductLayer layer(node, 0, 1, 2, 3, source.fused_activation_function());
  require_picture(node, layer.x());
  const Shape weights = weights_shape(node, layer.weights(), 4);
  const int channels = node.shape(layer.x())[3];
  if (weights[0] != 1 || weights[3] % channels != 0)
    node.refuse("its weights have shape " + describe(weights) + ", which does not fit " +
                std::to_string(channels) + " channels");
  format::Conv2DT options;
  set_strides(node, source, options);
  options.dilation_height = node.checked_int(source.dilation_h_factor(), "dilation", 1);
  options.dilation_width = node.checked_int(source.dilation_w_factor(), "dilation", 1);
  set_padding(node, layer.x(), source.padding(), kernel_extent(node, weights, 1),
              kernel_extent(node, weights, 2), options);
  options.groups = channels;
  // Every output channel has one input channel: [outputs, kernel_h, kernel_w, 1].
  layer.turn_weights({3, 1, 2, 0});
  layer.emit(make_options(options));
}

// output's shape, weights [outputs, kernel_h, kernel_w, C], x [N,H,W,C], bias [outputs] or absent
void transpose_conv(TfliteNode& node) {
  const auto& source = node.options<tflite::TransposeConvOptions>();
  ProductLayer layer(node, 2, 1, 3, 0, source.fused_activation_function());
  require_picture(node, layer.x());
  const Shape weights = weights_shape(node, layer.weights(), 4);
  const std::vector<std::int64_t> asked = node.integers(0, "output's shape");
  if (asked.size() != 4) node.refuse("its output's shape must have four axes");
  format::ConvTranspose2DT options;
  set_strides(node, source, options);
  const bool same = is_same(node, source.padding());
  std::int32_t before[2] = {}, after[2] = {}, added[2] = {};
  for (int axis = 0; axis < 2; ++axis) {
    const int kernel = kernel_extent(node, weights, axis + 1);
    const int stride = axis == 0 ? options.stride_height : options.stride_width;
    const std::int64_t extent =
        node.checked_int(asked[static_cast<std::size_t>(axis) + 1], "output's extent", 1);
    // The padding of the convolution that goes the other way.
    if (same)
      before[axis] = node.checked_int(same_padding(extent, kernel, stride, 1).before, "padding");
    const std::int64_t whole =
        std::int64_t{node.shape(layer.x())[axis + 1] - 1} * stride + kernel - before[axis];
    // Where the taps do not reach, the output is the bias alone.
    after[axis] = node.checked_int(std::max<std::int64_t>(whole - extent, 0), "padding");
    added[axis] = node.checked_int(std::max<std::int64_t>(extent - whole, 0), "output padding");
  }
  options.pad_top = before[0];
  options.pad_left = before[1];
  options.pad_bottom = after[0];
  options.pad_right = after[1];
  options.output_padding_height = added[0];
  options.output_padding_width = added[1];
  // [groups, kernel_h, kernel_w, outputs, C]
  layer.turn_weights({1, 2, 0, 3});
  layer.shape_weights(make_shape({1, weights[1], weights[2], weights[0], weights[3]}));
  layer.emit(make_options(options));
}

TensorId turn_last_axes(TfliteNode& node, TensorId x) {
  if (node.rank(x) < 2)
    node.refuse("a matrix must have two axes, but has " + describe(node.shape(x)));
  std::vector<int> order(static_cast<std::size_t>(node.rank(x)));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return node.transpose(x, order);
}

// x [..., inputs], weights [outputs, inputs], bias [outputs] or absent
void fully_connected(TfliteNode& node) {
  const auto& source = node.options<tflite::FullyConnectedOptions>();
  if (source.weights_format() != tflite::FullyConnectedWeightsFormat::DEFAULT)
    node.refuse("its weights are shuffled, which is not supported; convert it without that");
  ProductLayer layer(node, 0, 1, 2, 0, source.fused_activation_function());
  const Shape weights = weights_shape(node, layer.weights(), 2);
  const Shape shape = node.shape(layer.x());
  if (shape.rank < 1 || shape.elements() % weights[1] != 0)
    node.refuse("its input has shape " + describe(shape) + ", but its weights are for " +
                std::to_string(weights[1]) + " numbers");
  // What is not rows of that many numbers is made so.
  const bool is_rows =
      shape[shape.rank - 1] == weights[1] && (source.keep_num_dims() || shape.rank == 2);
  if (!is_rows) layer.shape_x(make_shape({shape.elements() / weights[1], weights[1]}));
  if (node.constant(layer.weights())) return layer.emit(make_options(format::DenseT{}));
  TensorId y = node.emit(format::MatMulT{}, {layer.x(), turn_last_axes(node, layer.weights())});
  if (node.has_input(2)) y = node.binary(format::BinaryFunction::Add, y, node.input(2));
  node.set_output(0, node.activate(y, source.fused_activation_function()));
}

void batch_matmul(TfliteNode& node) {
  const auto* options = node.options_or_null<tflite::BatchMatMulOptions>();
  TensorId a = node.input(0);
  TensorId b = node.input(1);
  if (options != nullptr && options->adj_x()) a = turn_last_axes(node, a);
  if (options != nullptr && options->adj_y()) b = turn_last_axes(node, b);
  node.set_output(0, node.emit(format::MatMulT{}, {a, b}));
}

constexpr TfliteOperator kRows[] = {
    {"BATCH_MATMUL", batch_matmul},        {"CONV_2D", conv},
    {"DEPTHWISE_CONV_2D", depthwise_conv}, {"FULLY_CONNECTED", fully_connected},
    {"TRANSPOSE_CONV", transpose_conv},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteProducts = kRows;

}  // namespace figment::converter
