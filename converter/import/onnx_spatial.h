// Windows as ONNX's attributes say them.
#pragma once

#include "converter/import/onnx_node.h"
#include "converter/import/spatial.h"

namespace figment::converter {

enum class AutoPad { kNone, kUpper, kLower, kValid };
AutoPad read_auto_pad(const OnnxNode& node);

// Reads kernel_shape, strides, dilations and pads. `kernel` are the weights' extents, empty where
// kernel_shape must be there.
SlidingWindow read_window(const OnnxNode& node, int spatial_axes,
                          const std::vector<std::int64_t>& kernel);

// Resolves auto_pad for a window that slides over the picture x.
void resolve_padding(const OnnxNode& node, TensorId picture, SlidingWindow& window);

}  // namespace figment::converter
