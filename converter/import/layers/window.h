// Windows that slide over pictures, for layers of one or two spatial axes.
#pragma once

#include <string>
#include <vector>

#include "converter/import/layers/layer_node.h"
#include "converter/import/spatial.h"

namespace figment::converter {

// A layer of one spatial axis works on pictures of height 1.
struct LayerWindow : SlidingWindow {
  std::string padding;  // "valid", "same" or "causal"
};

// [N,L,C] or [N,H,W,C] (or with channels first) as [N,H,W,C]; and back.
TensorId layer_picture(LayerNode& node, TensorId x, int spatial_axes);
TensorId picture_to_layer(LayerNode& node, TensorId picture, int spatial_axes);

// The settings 'strides', 'dilation_rate' and 'padding'. `kernel` has one number a spatial axis.
LayerWindow read_window(const LayerNode& node, const std::vector<int>& kernel);
// The padding that gives ceil(extent / stride) outputs, more of it behind: TensorFlow's "same".
void pad_same(LayerWindow& window, const Shape& picture);

}  // namespace figment::converter
