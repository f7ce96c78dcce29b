// Windows that slide over pictures.
#include "converter/import/layers/window.h"

#include <algorithm>

namespace figment::converter {

TensorId layer_picture(LayerNode& node, TensorId x, int spatial_axes) {
  if (node.rank(x) != spatial_axes + 2)
    node.refuse("its input has shape " + describe(node.shape(x)) + ", but must have " +
                std::to_string(spatial_axes + 2) + " axes");
  const TensorId last = node.to_channels_last(x);
  if (spatial_axes == 2) return last;
  const Shape shape = node.shape(last);
  return node.reshape_to(last, {shape[0], 1, shape[1], shape[2]});
}

TensorId picture_to_layer(LayerNode& node, TensorId picture, int spatial_axes) {
  if (spatial_axes == 1) {
    const Shape shape = node.shape(picture);
    picture = node.reshape_to(picture, {shape[0], shape[2], shape[3]});
  }
  return node.from_channels_last(picture);
}

LayerWindow read_window(const LayerNode& node, const std::vector<int>& kernel) {
  const int axes = static_cast<int>(kernel.size());
  LayerWindow window;
  const std::vector<int> strides =
      node.extents_setting({"strides", "stride", "subsample", "subsample_length"}, axes, 1);
  const std::vector<int> dilations = node.extents_setting({"dilation_rate"}, axes, 1);
  for (int axis = 0; axis < axes; ++axis) {
    const auto from = static_cast<std::size_t>(axis);
    const int to = 2 - axes + axis;
    window.kernel[to] = node.checked_int(kernel[from], "kernel", 1);
    window.stride[to] = strides[from];
    window.dilation[to] = dilations[from];
    // So that spans and paddings stay far from the largest int.
    if (std::int64_t{window.kernel[to]} * window.dilation[to] > 1 << 20 ||
        window.stride[to] > 1 << 20)
      node.refuse("its window is larger than any picture; the file is damaged");
  }
  window.padding = node.text_setting({"padding", "border_mode"}, "valid");
  if (window.padding != "valid" && window.padding != "same" && window.padding != "causal")
    node.refuse("its padding '" + window.padding + "' is not supported; use 'valid' or 'same'");
  return window;
}

void pad_same(LayerWindow& window, const Shape& picture) {
  for (int axis = 0; axis < 2; ++axis) {
    const std::int64_t extent = picture[axis + 1];
    const std::int64_t outputs = (extent + window.stride[axis] - 1) / window.stride[axis];
    const std::int64_t total =
        std::max<std::int64_t>(0, (outputs - 1) * window.stride[axis] + window.span(axis) - extent);
    window.before[axis] = static_cast<int>(total / 2);
    window.after[axis] = static_cast<int>(total - total / 2);
  }
}

}  // namespace figment::converter
