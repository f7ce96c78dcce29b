// Convolutions.
//
// Flux's Conv is the mathematicians' convolution: its kernels are mirrored along every axis before
// they slide; CrossCor's are not. Weights are (kernel_w, kernel_h, inputs/groups, outputs), which
// reversed is the order of ONNX.
#include <algorithm>
#include <cstring>

#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

// Mirrors each kernel of weights [a, b, kernel...].
void mirror(GraphTensor& weights) {
  std::int64_t taps = 1;
  for (int axis = 2; axis < weights.shape.rank; ++axis) taps *= weights.shape[axis];
  std::vector<float> kernel(static_cast<std::size_t>(taps));
  const std::size_t bytes = kernel.size() * sizeof(float);
  for (std::size_t at = 0; bytes > 0 && at + bytes <= weights.data->size(); at += bytes) {
    std::memcpy(kernel.data(), weights.data->data() + at, bytes);
    std::ranges::reverse(kernel);
    std::memcpy(weights.data->data() + at, kernel.data(), bytes);
  }
}

// The kernels as a picture's: [a, b, kernel_h, kernel_w], those of a signal of height 1.
TensorId read_weights(FluxLayer& layer, TensorId x, bool mirrored) {
  const int rank = layer.rank(x);
  if (rank != 3 && rank != 4)
    layer.refuse("its input has " + std::to_string(rank) +
                 " axes; only signals (L, C, N) and pictures (W, H, C, N) are supported");
  const TensorId weights = layer.array("weight", rank);
  if (mirrored) mirror(layer.graph().tensor(weights));
  const Shape shape = layer.shape(weights);
  if (shape.elements() == 0) layer.refuse("its weights are empty; the file is damaged");
  return rank == 4 ? weights : layer.reshape_to(weights, {shape[0], shape[1], 1, shape[2]});
}

// Strides, dilations and padding. Julia has the width first, we the height.
template <typename Options>
void read_window(const FluxLayer& layer, int rank, Options& options) {
  const auto axes = static_cast<std::size_t>(rank) - 2;
  const std::vector<std::int64_t> stride = layer.integers(layer.required("stride"), axes);
  const std::vector<std::int64_t> dilation = layer.integers(layer.required("dilation"), axes);
  const JuliaValue& pad = layer.required("pad");
  const bool both = pad.items.size() == axes && axes > 0;  // the same before and after
  const std::vector<std::int64_t> pads = layer.integers(pad, both ? axes : 2 * axes);
  const auto before = [&](std::size_t axis) { return pads[both ? axis : 2 * axis]; };
  const auto after = [&](std::size_t axis) { return pads[both ? axis : 2 * axis + 1]; };
  options.stride_width = layer.checked_int(stride[0], "stride", 1);
  options.dilation_width = layer.checked_int(dilation[0], "dilation", 1);
  options.pad_left = layer.checked_int(before(0), "padding");
  options.pad_right = layer.checked_int(after(0), "padding");
  if (axes < 2) return;
  options.stride_height = layer.checked_int(stride[1], "stride", 1);
  options.dilation_height = layer.checked_int(dilation[1], "dilation", 1);
  options.pad_top = layer.checked_int(before(1), "padding");
  options.pad_bottom = layer.checked_int(after(1), "padding");
}

// weights [outputs, inputs/groups, kernel_h, kernel_w]
TensorId convolve(FluxLayer& layer, TensorId x, TensorId weights, int groups) {
  format::Conv2DT options;
  options.groups = groups;
  read_window(layer, layer.rank(x), options);
  const TensorId picture = layer.to_picture(x);
  const TensorId turned = layer.transpose(weights, {0, 2, 3, 1});
  const TensorId y = layer.emit(options, {picture, turned, layer.optional_array("bias", 1)});
  return layer.activate("σ", layer.from_picture(y, layer.rank(x)));
}

int groups_of(const FluxLayer& layer) {
  return layer.checked_int(layer.integer("groups", 1), "groups", 1);
}

TensorId conv(FluxLayer& layer, TensorId x) {
  return convolve(layer, x, read_weights(layer, x, true), groups_of(layer));
}

TensorId cross_correlation(FluxLayer& layer, TensorId x) {
  return convolve(layer, x, read_weights(layer, x, false), groups_of(layer));
}

// Of old versions: weights (kernel_w, kernel_h, outputs an input, inputs).
TensorId depthwise(FluxLayer& layer, TensorId x) {
  const TensorId weights = read_weights(layer, x, true);
  const Shape shape = layer.shape(weights);
  const TensorId split =
      layer.reshape_to(weights, {std::int64_t{shape[0]} * shape[1], 1, shape[2], shape[3]});
  return convolve(layer, x, split, shape[0]);
}

// weights [inputs, outputs/groups, kernel_h, kernel_w]
TensorId conv_transpose(FluxLayer& layer, TensorId x) {
  const TensorId weights = read_weights(layer, x, true);
  const Shape shape = layer.shape(weights);
  format::ConvTranspose2DT options;
  options.groups = groups_of(layer);
  read_window(layer, layer.rank(x), options);
  if (const JuliaValue* more = layer.field("outpad")) {
    const auto axes = static_cast<std::size_t>(layer.rank(x)) - 2;
    const std::vector<std::int64_t> out = layer.integers(*more, axes);
    options.output_padding_width = layer.checked_int(out[0], "outpad");
    if (axes > 1) options.output_padding_height = layer.checked_int(out[1], "outpad");
  }
  if (shape[0] % options.groups != 0)
    layer.refuse("its " + std::to_string(shape[0]) + " input channels do not divide into " +
                 std::to_string(options.groups) + " groups; the file is damaged");
  const TensorId picture = layer.to_picture(x);
  const TensorId split = layer.reshape_to(
      weights, {options.groups, shape[0] / options.groups, shape[1], shape[2], shape[3]});
  const TensorId turned = layer.transpose(split, {0, 3, 4, 2, 1});
  const TensorId y = layer.emit(options, {picture, turned, layer.optional_array("bias", 1)});
  return layer.activate("σ", layer.from_picture(y, layer.rank(x)));
}

constexpr FluxRow kRows[] = {
    {"Conv", conv},
    {"ConvTranspose", conv_transpose},
    {"CrossCor", cross_correlation},
    {"DepthwiseConv", depthwise},
};

}  // namespace

const std::span<const FluxRow> kFluxConvolutions = kRows;

}  // namespace figment::converter
