// Statistics over axes, for the operators that normalize by them.
#pragma once

#include "converter/import/onnx_node.h"

namespace figment::converter {

// The mean of x over `axes` (which stay as extents of 1), x less the mean, and the mean of its
// square.
struct Moments {
  TensorId mean = kAbsent, centred = kAbsent, variance = kAbsent;
};
Moments moments_of(OnnxNode& node, TensorId x, const std::vector<std::int32_t>& axes);

}  // namespace figment::converter
