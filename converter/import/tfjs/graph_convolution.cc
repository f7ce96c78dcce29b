// Convolutions, pools, normalizations and changes of size over pictures in TensorFlow graphs.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "converter/import/spatial.h"
#include "converter/import/tfjs/fused.h"

namespace figment::converter {
namespace {

using format::PoolFunction;
using format::ResizeCoordinates;
using format::ResizeMode;
using format::ResizeRounding;

// One of the four numbers [1, height, width, 1].
void read_pair(const GraphNode& node, const char* name, int (&into)[2]) {
  const std::vector<std::int64_t> list = node.integer_list(name);
  if (list.empty()) return;
  if (list.size() != 4 || list[0] != 1 || list[3] != 1)
    node.refuse("its " + std::string(name) + " must be those of a picture's axes alone");
  for (int axis = 0; axis < 2; ++axis) {
    into[axis] = node.checked_int(list[static_cast<std::size_t>(axis) + 1], name, 1);
    if (into[axis] > 1 << 15) node.refuse("its " + std::string(name) + " are too large");
  }
}

void check_picture(const GraphNode& node, TensorId x) {
  if (node.rank(x) != 4)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must have 4 axes");
  if (node.text_attribute("data_format", "NHWC") != "NHWC")
    node.refuse("its data_format is not supported; convert the model with channels last");
}

// Strides, dilations and the padding that gives the outputs for `extents` [N, height, width, C].
SlidingWindow read_window(const GraphNode& node, const Shape& extents, int height, int width) {
  SlidingWindow window;
  window.kernel[0] = height;
  window.kernel[1] = width;
  if (height > 1 << 15 || width > 1 << 15) node.refuse("its window is too large");
  read_pair(node, "strides", window.stride);
  read_pair(node, "dilations", window.dilation);
  const std::string padding = node.text_attribute("padding", "VALID");
  if (padding == "EXPLICIT") {
    const std::vector<std::int64_t> list = node.integer_list("explicit_paddings");
    if (list.size() != 8) node.refuse("its explicit_paddings must be 8 numbers");
    for (std::size_t axis = 0; axis < 2; ++axis) {
      window.before[axis] = node.checked_int(list[2 + 2 * axis], "padding");
      window.after[axis] = node.checked_int(list[3 + 2 * axis], "padding");
    }
  } else if (padding == "SAME") {
    for (int axis = 0; axis < 2; ++axis) {
      const std::int64_t extent = extents[axis + 1];
      const std::int64_t outputs = (extent + window.stride[axis] - 1) / window.stride[axis];
      const std::int64_t total = std::max<std::int64_t>(
          0, (outputs - 1) * window.stride[axis] + window.span(axis) - extent);
      window.before[axis] = node.checked_int(total / 2, "padding");
      window.after[axis] = node.checked_int(total - total / 2, "padding");
    }
  } else if (padding != "VALID") {
    node.refuse("its padding '" + padding + "' is unknown; the file is damaged");
  }
  return window;
}

Shape kernel_shape(const GraphNode& node, TensorId kernel) {
  if (node.rank(kernel) != 4) node.refuse("its kernel must have 4 axes; the file is damaged");
  return node.shape(kernel);
}

// x, kernel [height, width, inputs/groups, outputs]
void conv(GraphNode& node) {
  const TensorId x = node.input(0), kernel = node.input(1);
  check_picture(node, x);
  const Shape shape = kernel_shape(node, kernel);
  format::Conv2DT options;
  set_window(options, read_window(node, node.shape(x), shape[0], shape[1]));
  if (shape[2] > 0 && node.shape(x)[3] % shape[2] == 0)
    options.groups = node.shape(x)[3] / shape[2];
  const FusedPart fused = read_fused(node, 2);
  const TensorId y =
      node.emit(options, {x, node.transpose(kernel, {3, 0, 1, 2}), bias_vector(node, fused)});
  node.set_output(finish_fused(node, fused, y));
}

// x, kernel [height, width, channels, multiplier]
void depthwise_conv(GraphNode& node) {
  const TensorId x = node.input(0), kernel = node.input(1);
  check_picture(node, x);
  const Shape shape = kernel_shape(node, kernel);
  if (shape[2] != node.shape(x)[3]) node.refuse("its kernel has other channels than its input");
  format::Conv2DT options;
  options.groups = shape[2];
  set_window(options, read_window(node, node.shape(x), shape[0], shape[1]));
  const TensorId weights =
      node.reshape_to(node.transpose(kernel, {2, 3, 0, 1}),
                      {std::int64_t{shape[2]} * shape[3], shape[0], shape[1], 1});
  const FusedPart fused = read_fused(node, 2);
  node.set_output(
      finish_fused(node, fused, node.emit(options, {x, weights, bias_vector(node, fused)})));
}

// The output's shape, kernel [height, width, outputs, inputs], x
void conv_transpose(GraphNode& node) {
  const std::vector<std::int64_t> sizes = node.integers(0, "output's shape");
  const TensorId kernel = node.input(1), x = node.input(2);
  check_picture(node, x);
  const Shape shape = kernel_shape(node, kernel);
  if (sizes.size() != 4 && sizes.size() != 2)
    node.refuse("its output's shape must be 4 numbers; the file is damaged");
  Shape wanted = node.shape(x);
  for (int axis = 1; axis < 3; ++axis)
    wanted[axis] = node.checked_int(
        sizes[static_cast<std::size_t>(axis) - (sizes.size() == 2 ? 1 : 0)], "output's extent", 1);
  // The padding is that of the convolution whose gradient this is: it reads the output.
  SlidingWindow window = read_window(node, wanted, shape[0], shape[1]);
  int more[2] = {0, 0};
  for (int axis = 0; axis < 2; ++axis) {
    const std::int64_t reach = (std::int64_t{node.shape(x)[axis + 1]} - 1) * window.stride[axis] +
                               window.span(axis) - window.before[axis];
    const std::int64_t rest = reach - wanted[axis + 1];
    window.after[axis] = rest > 0 ? node.checked_int(rest, "padding") : 0;
    more[axis] = rest < 0 ? node.checked_int(-rest, "output_padding") : 0;
  }
  format::ConvTranspose2DT options;
  set_window(options, window);
  options.output_padding_height = more[0];
  options.output_padding_width = more[1];
  node.set_output(node.emit(
      options, {x, node.reshape_to(kernel, {1, shape[0], shape[1], shape[2], shape[3]}), kAbsent}));
}

template <PoolFunction kFunction>
void pool(GraphNode& node) {
  const TensorId x = node.input(0);
  check_picture(node, x);
  int kernel[2] = {1, 1};
  read_pair(node, "ksize", kernel);
  format::Pool2DT options;
  options.function = kFunction;
  options.kernel_height = kernel[0];
  options.kernel_width = kernel[1];
  set_window(options, read_window(node, node.shape(x), kernel[0], kernel[1]));
  node.set_output(node.emit(options, {x}));
}

// x, scale, offset, mean, variance
void batch_normalization(GraphNode& node) {
  check_picture(node, node.input(0));
  if (node.flag("is_training", false))
    node.refuse("it is in training mode; save the model for inference");
  format::BatchNormalizationT options;
  options.epsilon = node.number_attribute("epsilon", 1e-4F);
  node.set_output(node.emit(
      options, {node.input(0), node.input(1), node.input(2), node.input(3), node.input(4)}));
}

template <ResizeMode kMode>
void resize(GraphNode& node) {
  const TensorId x = node.input(0);
  check_picture(node, x);
  const std::vector<std::int64_t> size = node.integers(1, "size");
  if (size.size() != 2) node.refuse("its size must be 2 numbers; the file is damaged");
  format::ResizeT options;
  options.mode = kMode;
  options.height = node.checked_int(size[0], "height", 1);
  options.width = node.checked_int(size[1], "width", 1);
  if (node.flag("align_corners", false)) {
    options.coordinates = ResizeCoordinates::AlignCorners;
    options.rounding = ResizeRounding::RoundPreferCeil;
  } else if (node.flag("half_pixel_centers", false)) {
    options.coordinates = ResizeCoordinates::HalfPixel;
    options.rounding = ResizeRounding::RoundPreferCeil;
  } else {
    options.coordinates = ResizeCoordinates::Asymmetric;
    options.rounding = ResizeRounding::Floor;
  }
  node.set_output(node.emit(options, {x}));
}

template <typename Options>
void move_depth(GraphNode& node) {
  check_picture(node, node.input(0));
  Options options;
  options.block = node.checked_int(node.integer_attribute("block_size", 2), "block_size", 1);
  node.set_output(node.emit(options, {node.input(0)}));
}

constexpr GraphOperator kRows[] = {
    {"AvgPool", pool<PoolFunction::Average>},
    {"Conv2D", conv},
    {"Conv2DBackpropInput", conv_transpose},
    {"DepthToSpace", move_depth<format::DepthToSpaceT>},
    {"DepthwiseConv2dNative", depthwise_conv},
    {"FusedBatchNorm", batch_normalization},
    {"FusedBatchNormV2", batch_normalization},
    {"FusedBatchNormV3", batch_normalization},
    {"FusedDepthwiseConv2dNative", depthwise_conv},
    {"MaxPool", pool<PoolFunction::Max>},
    {"ResizeBilinear", resize<ResizeMode::Linear>},
    {"ResizeNearestNeighbor", resize<ResizeMode::Nearest>},
    {"SpaceToDepth", move_depth<format::SpaceToDepthT>},
    {"_FusedConv2D", conv},
};

}  // namespace

const std::span<const GraphOperator> kGraphConvolution = kRows;

}  // namespace figment::converter
