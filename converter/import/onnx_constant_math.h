// The arithmetic that exporters leave in a model to compute shapes: integers, comparisons and
// selections over numbers that are all known when the model is converted. Everything else is folded
// by the runtime itself.
#pragma once

#include "converter/import/onnx_node.h"

namespace figment::converter {

// When all operands are constant integers: computes the node (elementwise, by name), sets its
// output, and returns true.
bool fold_integers(OnnxNode& node);

// As fold_integers, for operators that have no counterpart in the runtime: constant operands of any
// type. Refuses others.
void fold_or_refuse(OnnxNode& node);

}  // namespace figment::converter
