// Convolutions and transposed convolutions.
#include <algorithm>

#include "converter/import/onnx_families.h"
#include "converter/import/onnx_spatial.h"

namespace figment::converter {
namespace {

// x [N,C,H,W], weights [outputs, C/groups, kernel_h, kernel_w], bias [outputs] or absent
void conv(OnnxNode& node) {
  const TensorId x = node.input(0);
  const int axes = spatial_rank(node, x);
  const TensorId weights = node.input(1);
  SlidingWindow window = read_window(node, axes, kernel_of(node, weights, axes));
  const TensorId picture = to_picture(node, x);
  resolve_padding(node, picture, window);

  format::Conv2DT options;
  options.groups = node.checked_int(node.integer("group", 1), "group", 1);
  set_window(options, window);
  // [outputs, C/groups, kh, kw] -> [outputs, kh, kw, C/groups]
  const TensorId turned = to_picture(node, weights);
  const TensorId y = node.emit(options, {picture, turned, node.optional_input(2)});
  node.set_output(0, from_picture(node, y, axes));
}

// The padding that gives the output the extents that the source asks for.
void resolve_output(const OnnxNode& node, TensorId picture, SlidingWindow& window,
                    int (&output_padding)[2], int spatial_axes) {
  const auto asked = node.integer_list("output_shape");
  const AutoPad automatic = read_auto_pad(node);
  if (!asked && automatic != AutoPad::kUpper && automatic != AutoPad::kLower) return;
  // The list may begin with N and C.
  if (asked && asked->size() != static_cast<std::size_t>(spatial_axes) &&
      asked->size() != static_cast<std::size_t>(spatial_axes) + 2)
    node.refuse("its output_shape has " + std::to_string(asked->size()) +
                " numbers, but must have " + std::to_string(spatial_axes));
  for (int axis = 2 - spatial_axes; axis < 2; ++axis) {
    const std::int64_t extent = node.shape(picture)[axis + 1];
    const std::int64_t wanted = asked
                                    ? asked->at(asked->size() - 2 + static_cast<std::size_t>(axis))
                                    : extent * window.stride[axis];
    const std::int64_t total =
        (extent - 1) * window.stride[axis] + output_padding[axis] + window.span(axis) - wanted;
    if (total < 0) {
      // More than the taps reach: zeros (and the bias) are added after the end.
      window.before[axis] = window.after[axis] = 0;
      output_padding[axis] = node.checked_int(output_padding[axis] - total, "output_padding");
      continue;
    }
    const int half = node.checked_int(total / 2, "padding");
    const int rest = node.checked_int(total - total / 2, "padding");
    window.before[axis] = automatic == AutoPad::kUpper ? half : rest;
    window.after[axis] = automatic == AutoPad::kUpper ? rest : half;
  }
}

// x [N,C,H,W], weights [C, outputs/groups, kernel_h, kernel_w], bias [outputs] or absent
void conv_transpose(OnnxNode& node) {
  const TensorId x = node.input(0);
  const int axes = spatial_rank(node, x);
  const TensorId weights = node.input(1);
  const std::vector<std::int64_t> kernel = kernel_of(node, weights, axes);
  SlidingWindow window = read_window(node, axes, kernel);
  const TensorId picture = to_picture(node, x);

  int output_padding[2] = {0, 0};
  if (const auto values = node.integer_list("output_padding")) {
    if (values->size() != static_cast<std::size_t>(axes))
      node.refuse("its attribute 'output_padding' has " + std::to_string(values->size()) +
                  " numbers, but must have " + std::to_string(axes));
    for (std::size_t axis = 0; axis < values->size(); ++axis)
      output_padding[2 - values->size() + axis] =
          node.checked_int((*values)[axis], "output_padding");
  }
  resolve_output(node, picture, window, output_padding, axes);

  format::ConvTranspose2DT options;
  options.groups = node.checked_int(node.integer("group", 1), "group", 1);
  set_window(options, window);
  options.output_padding_height = output_padding[0];
  options.output_padding_width = output_padding[1];
  const TensorId turned = transposed_weights(node, weights, options.groups);
  const TensorId y = node.emit(options, {picture, turned, node.optional_input(2)});
  node.set_output(0, from_picture(node, y, axes));
}

constexpr OnnxOperator kRows[] = {
    {"Conv", conv},
    {"ConvTranspose", conv_transpose},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxConvolution = kRows;

}  // namespace figment::converter
