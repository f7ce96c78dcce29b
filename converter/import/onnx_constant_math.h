// The arithmetic that exporters leave in a model to compute shapes, where it differs from what the
// runtime gives, which folds everything else: shapes are 64-bit integers in the source and saturate
// here where int32 ends, and a list of no extents has no numbers at all.
#pragma once

#include "converter/import/onnx_node.h"

namespace figment::converter {

// When all operands are constant integers: computes the sum, difference, product, quotient or power
// (by the node's name), sets its output, and returns true.
bool fold_integers(OnnxNode& node);

// When an operand of an elementwise node is empty: makes the empty result, of `type`, its output,
// and returns true.
bool fold_empty(OnnxNode& node, DataType type);

}  // namespace figment::converter
