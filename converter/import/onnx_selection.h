// Cutting and joining, for the operators that are made of it.
#pragma once

#include "converter/import/onnx_node.h"

namespace figment::converter {

// The tensors one after another along `axis`; there is at least one.
TensorId join_parts(OnnxNode& node, std::vector<TensorId> parts, int axis);

// x[start:end] along `axis`, 0 <= start < end <= extent.
TensorId take_part(OnnxNode& node, TensorId x, int axis, std::int64_t start, std::int64_t end);

}  // namespace figment::converter
