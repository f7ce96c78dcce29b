// Convolutions and transposed convolutions over one or two axes.
#include <nlohmann/json.hpp>

#include "converter/import/layers/window.h"

namespace figment::converter {
namespace {

// The window of a layer whose kernel is [spatial..., a, b].
LayerWindow window_of(const LayerNode& node, TensorId kernel, int axes) {
  const Shape shape = node.shape(kernel);
  return read_window(node, std::vector<int>(shape.dims, shape.dims + axes));
}

// A kernel over one axis as one over pictures of height 1.
TensorId with_height(LayerNode& node, TensorId kernel, int axes) {
  if (axes == 2) return kernel;
  const Shape shape = node.shape(kernel);
  return node.reshape_to(kernel, {1, shape[0], shape[1], shape[2]});
}

void pad_for(LayerWindow& window, const Shape& picture) {
  if (window.padding == "same") pad_same(window, picture);
  if (window.padding == "causal") window.before[1] = window.span(1) - 1;
}

TensorId finish(LayerNode& node, TensorId picture, int axes) {
  return node.activate(picture_to_layer(node, picture, axes));
}

TensorId bias_of(LayerNode& node) {
  return node.flag({"use_bias", "bias"}, true) ? node.weight("bias", 1) : kAbsent;
}

// kernel [spatial..., inputs/groups, outputs], bias [outputs]
template <int kAxes>
void conv(LayerNode& node) {
  const TensorId raw = node.weight("kernel", kAxes + 2);
  LayerWindow window = window_of(node, raw, kAxes);
  const TensorId picture = layer_picture(node, node.input(), kAxes);
  pad_for(window, node.shape(picture));
  format::Conv2DT options;
  options.groups = node.checked_int(node.integer_setting({"groups"}, 1), "groups", 1);
  set_window(options, window);
  const TensorId weights = node.transpose(with_height(node, raw, kAxes), {3, 0, 1, 2});
  node.set_output(finish(node, node.emit(options, {picture, weights, bias_of(node)}), kAxes));
}

// kernel [spatial..., channels, multiplier] -> one filter a channel and multiple
TensorId depthwise(LayerNode& node, TensorId picture, TensorId raw, LayerWindow& window,
                   TensorId bias, int axes) {
  pad_for(window, node.shape(picture));
  const TensorId kernel = with_height(node, raw, axes);
  const Shape shape = node.shape(kernel);
  if (shape[2] != node.shape(picture)[3])
    node.refuse("its kernel is for " + std::to_string(shape[2]) + " channels, but its input has " +
                std::to_string(node.shape(picture)[3]));
  format::Conv2DT options;
  options.groups = shape[2];
  set_window(options, window);
  const TensorId weights =
      node.reshape_to(node.transpose(kernel, {2, 3, 0, 1}),
                      {std::int64_t{shape[2]} * shape[3], shape[0], shape[1], 1});
  return node.emit(options, {picture, weights, bias});
}

template <int kAxes>
void depthwise_conv(LayerNode& node) {
  const TensorId raw = node.weight("depthwise_kernel", kAxes + 2);
  LayerWindow window = window_of(node, raw, kAxes);
  const TensorId picture = layer_picture(node, node.input(), kAxes);
  const TensorId bias = bias_of(node);
  node.set_output(finish(node, depthwise(node, picture, raw, window, bias, kAxes), kAxes));
}

// A depthwise convolution, then one of 1x1.
template <int kAxes>
void separable_conv(LayerNode& node) {
  const TensorId raw = node.weight("depthwise_kernel", kAxes + 2);
  const TensorId point = node.weight("pointwise_kernel", kAxes + 2);
  LayerWindow window = window_of(node, raw, kAxes);
  const TensorId picture = layer_picture(node, node.input(), kAxes);
  const TensorId between = depthwise(node, picture, raw, window, kAbsent, kAxes);
  const TensorId weights = node.transpose(with_height(node, point, kAxes), {3, 0, 1, 2});
  node.set_output(
      finish(node, node.emit(format::Conv2DT{}, {between, weights, bias_of(node)}), kAxes));
}

// kernel [spatial..., outputs, inputs], bias [outputs]
template <int kAxes>
void conv_transpose(LayerNode& node) {
  const TensorId raw = node.weight("kernel", kAxes + 2);
  LayerWindow window = window_of(node, raw, kAxes);
  if (window.padding == "causal") node.refuse("its padding 'causal' is unknown");
  const TensorId picture = layer_picture(node, node.input(), kAxes);
  const bool given = node.find({"output_padding"}) != nullptr;
  const std::vector<int> more = node.extents_setting({"output_padding"}, kAxes, 0, 0);
  const bool same = window.padding == "same";

  int output_padding[2] = {0, 0};
  for (int axis = 2 - kAxes; axis < 2; ++axis) {
    const std::int64_t extent = node.shape(picture)[axis + 1];
    const std::int64_t stride = window.stride[axis], span = window.span(axis);
    const std::int64_t reach = (extent - 1) * stride + span;  // without any padding
    // How long Keras makes the output.
    std::int64_t wanted = 0;
    if (given)
      wanted = reach - (same ? span / 2 * 2 : 0) + *(more.end() - 2 + axis);
    else
      wanted = same ? extent * stride : std::max(reach, extent * stride);
    const std::int64_t total = reach - wanted;
    if (total < 0) {
      output_padding[axis] = node.checked_int(-total, "output_padding");
    } else {
      const std::int64_t before = same ? total / 2 : 0;
      window.before[axis] = node.checked_int(before, "padding");
      window.after[axis] = node.checked_int(total - before, "padding");
    }
  }
  format::ConvTranspose2DT options;
  set_window(options, window);
  options.output_padding_height = output_padding[0];
  options.output_padding_width = output_padding[1];
  const TensorId kernel = with_height(node, raw, kAxes);
  const Shape shape = node.shape(kernel);
  const TensorId weights = node.reshape_to(kernel, {1, shape[0], shape[1], shape[2], shape[3]});
  node.set_output(finish(node, node.emit(options, {picture, weights, bias_of(node)}), kAxes));
}

constexpr LayerRow kRows[] = {
    {"Conv1D", conv<1>},
    {"Conv1DTranspose", conv_transpose<1>},
    {"Conv2D", conv<2>},
    {"Conv2DTranspose", conv_transpose<2>},
    {"Convolution1D", conv<1>},
    {"Convolution2D", conv<2>},
    {"Convolution2DTranspose", conv_transpose<2>},
    {"Deconvolution2D", conv_transpose<2>},
    {"DepthwiseConv1D", depthwise_conv<1>},
    {"DepthwiseConv2D", depthwise_conv<2>},
    {"SeparableConv1D", separable_conv<1>},
    {"SeparableConv2D", separable_conv<2>},
    {"SeparableConvolution2D", separable_conv<2>},
};

}  // namespace

const std::span<const LayerRow> kConvolutionLayers = kRows;

}  // namespace figment::converter
