// Cutting, for the operators that are made of it.
#pragma once

#include "converter/import/onnx_node.h"

namespace figment::converter {

// x[start:end] along `axis`, 0 <= start < end <= extent.
TensorId take_part(OnnxNode& node, TensorId x, int axis, std::int64_t start, std::int64_t end);

}  // namespace figment::converter
