// What convolutions, pools and other operators over pictures share: the runtime's order of axes,
// and windows.
//
// Sources that have N,C,H,W (ONNX, PyTorch) are turned to N,H,W,C before each such operator and
// back after it. A signal N,C,L is carried as a picture of height 1.
#pragma once

#include "converter/import/node_builder.h"

namespace figment::converter {

// How many spatial axes x has; refuses all but 1 and 2.
int spatial_rank(const NodeBuilder& node, TensorId x);

// The spatial axes of N,C,..., any number of them but none.
std::vector<std::int32_t> spatial_axes(const NodeBuilder& node, TensorId x);

// N,C,H,W -> N,H,W,C and N,C,L -> N,1,L,C.
TensorId to_picture(NodeBuilder& node, TensorId x);
// The way back, to as many spatial axes as the source had.
TensorId from_picture(NodeBuilder& node, TensorId picture, int spatial_axes);

// N,C,... -> N,...,C for any number of axes, and back.
TensorId to_channels_last(NodeBuilder& node, TensorId x);
TensorId from_channels_last(NodeBuilder& node, TensorId x);

// The weights' spatial extents, after their channels.
std::vector<std::int64_t> kernel_of(const NodeBuilder& node, TensorId weights, int spatial_axes);

// The weights of a transposed convolution as the runtime has them:
// [C, outputs/groups, kh, kw] -> [groups, kh, kw, outputs/groups, C/groups]
TensorId transposed_weights(NodeBuilder& node, TensorId weights, int groups);

// Strides, dilations, padding; [0] is along the height, [1] along the width.
struct SlidingWindow {
  int kernel[2] = {1, 1};
  int stride[2] = {1, 1};
  int dilation[2] = {1, 1};
  int before[2] = {0, 0};
  int after[2] = {0, 0};

  // Pixels from the first tap to the last.
  std::int64_t span(int axis) const { return std::int64_t{kernel[axis] - 1} * dilation[axis] + 1; }
};

// Copies what Conv2D, ConvTranspose2D and Pool2D have alike.
template <typename Table>
void set_window(Table& options, const SlidingWindow& window) {
  options.stride_height = window.stride[0];
  options.stride_width = window.stride[1];
  options.dilation_height = window.dilation[0];
  options.dilation_width = window.dilation[1];
  options.pad_top = window.before[0];
  options.pad_left = window.before[1];
  options.pad_bottom = window.after[0];
  options.pad_right = window.after[1];
}

}  // namespace figment::converter
