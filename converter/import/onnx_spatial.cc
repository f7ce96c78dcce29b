// What convolutions, pools and other operators over pictures share.
#include "converter/import/onnx_spatial.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace figment::converter {

std::vector<std::int32_t> spatial_axes(const OnnxNode& node, TensorId x) {
  if (node.rank(x) < 3)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must be N,C,...");
  std::vector<std::int32_t> axes;
  for (int axis = 2; axis < node.rank(x); ++axis) axes.push_back(axis);
  return axes;
}

int spatial_rank(const OnnxNode& node, TensorId x) {
  const int rank = node.rank(x);
  if (rank == 5)
    node.refuse(
        "three spatial axes are not supported; only signals N,C,L and pictures N,C,H,W are");
  if (rank != 3 && rank != 4)
    node.refuse("its input has shape " + describe(node.shape(x)) +
                ", but must be N,C,L or N,C,H,W");
  return rank - 2;
}

TensorId to_channels_last(OnnxNode& node, TensorId x) {
  std::vector<int> permutation(static_cast<std::size_t>(node.rank(x)));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + 1, permutation.begin() + 2, permutation.end());
  return node.transpose(x, permutation);
}

TensorId from_channels_last(OnnxNode& node, TensorId x) {
  std::vector<int> permutation(static_cast<std::size_t>(node.rank(x)));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + 1, permutation.end() - 1, permutation.end());
  return node.transpose(x, permutation);
}

TensorId to_picture(OnnxNode& node, TensorId x) {
  const TensorId last = to_channels_last(node, x);
  if (node.rank(last) == 4) return last;
  const Shape shape = node.shape(last);
  return node.reshape_to(last, {shape[0], 1, shape[1], shape[2]});
}

TensorId from_picture(OnnxNode& node, TensorId picture, int spatial_axes) {
  if (spatial_axes == 2) return from_channels_last(node, picture);
  const Shape shape = node.shape(picture);
  return from_channels_last(node, node.reshape_to(picture, {shape[0], shape[2], shape[3]}));
}

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
