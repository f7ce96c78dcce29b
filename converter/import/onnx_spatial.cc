// Reads windows from ONNX's attributes.
#include "converter/import/onnx_spatial.h"

#include <algorithm>

namespace figment::converter {

AutoPad read_auto_pad(const OnnxNode& node) {
  const std::string name = node.text("auto_pad", "NOTSET");
  if (name == "NOTSET") return AutoPad::kNone;
  if (name == "SAME_UPPER") return AutoPad::kUpper;
  if (name == "SAME_LOWER") return AutoPad::kLower;
  if (name == "VALID") return AutoPad::kValid;
  node.refuse("its auto_pad '" + name + "' is unknown; the file is damaged");
}

namespace {

// An attribute with one number a spatial axis, or none.
void read_axes(const OnnxNode& node, const std::string& name, int spatial_axes, int (&into)[2]) {
  const auto values = node.integer_list(name);
  if (!values) return;
  if (values->size() != static_cast<std::size_t>(spatial_axes))
    node.refuse("its attribute '" + name + "' has " + std::to_string(values->size()) +
                " numbers, but must have " + std::to_string(spatial_axes));
  for (int axis = 0; axis < spatial_axes; ++axis)
    into[2 - spatial_axes + axis] =
        node.checked_int((*values)[static_cast<std::size_t>(axis)], name, 1);
}

}  // namespace

SlidingWindow read_window(const OnnxNode& node, int spatial_axes,
                          const std::vector<std::int64_t>& kernel) {
  SlidingWindow window;
  for (std::size_t axis = 0; axis < kernel.size(); ++axis)
    window.kernel[2 - kernel.size() + axis] = node.checked_int(kernel[axis], "kernel", 1);
  if (kernel.empty() && !node.has("kernel_shape"))
    node.refuse("it lacks the attribute 'kernel_shape'");
  int declared[2] = {window.kernel[0], window.kernel[1]};
  read_axes(node, "kernel_shape", spatial_axes, declared);
  for (int axis = 0; axis < 2; ++axis) {
    if (!kernel.empty() && declared[axis] != window.kernel[axis])
      node.refuse("its kernel_shape says " + std::to_string(declared[axis]) +
                  " where its weights have " + std::to_string(window.kernel[axis]) +
                  "; the file is damaged");
    window.kernel[axis] = declared[axis];
  }
  read_axes(node, "strides", spatial_axes, window.stride);
  read_axes(node, "dilations", spatial_axes, window.dilation);
  if (const auto pads = node.integer_list("pads")) {
    if (pads->size() != 2 * static_cast<std::size_t>(spatial_axes))
      node.refuse("its attribute 'pads' has " + std::to_string(pads->size()) +
                  " numbers, but must have " + std::to_string(2 * spatial_axes));
    const bool automatic = node.text("auto_pad", "NOTSET") != "NOTSET";
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(spatial_axes) && !automatic;
         ++axis) {
      const std::size_t ours = 2 - static_cast<std::size_t>(spatial_axes) + axis;
      const std::int64_t before = (*pads)[axis],
                         after = (*pads)[axis + static_cast<std::size_t>(spatial_axes)];
      if (before < 0 || after < 0)
        node.refuse("its padding is negative; crop its input with a Slice instead");
      window.before[ours] = node.checked_int(before, "padding");
      window.after[ours] = node.checked_int(after, "padding");
    }
  }
  return window;
}

void resolve_padding(const OnnxNode& node, TensorId picture, SlidingWindow& window) {
  const AutoPad automatic = read_auto_pad(node);
  if (automatic == AutoPad::kNone || automatic == AutoPad::kValid) return;
  for (int axis = 0; axis < 2; ++axis) {
    const std::int64_t extent = node.shape(picture)[axis + 1];
    const std::int64_t outputs = (extent + window.stride[axis] - 1) / window.stride[axis];
    const std::int64_t total =
        std::max<std::int64_t>(0, (outputs - 1) * window.stride[axis] + window.span(axis) - extent);
    const int half = node.checked_int(total / 2, "padding");
    const int rest = node.checked_int(total - total / 2, "padding");
    window.before[axis] = automatic == AutoPad::kUpper ? half : rest;
    window.after[axis] = automatic == AutoPad::kUpper ? rest : half;
  }
}

}  // namespace figment::converter
