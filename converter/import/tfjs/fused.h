// What TensorFlow's optimizer fuses to products and convolutions: a bias and a function.
#pragma once

#include <string>

#include "converter/import/tfjs/graph_node.h"

namespace figment::converter {

struct FusedPart {
  TensorId bias = kAbsent, slopes = kAbsent;
  std::string function;  // empty: none
};

// Of the operators whose names begin with Fused; their own operands are `operands`.
FusedPart read_fused(GraphNode& node, std::size_t operands);
// The bias, which may have further axes of 1, as a vector; kAbsent when there is none.
TensorId bias_vector(GraphNode& node, const FusedPart& fused);
TensorId finish_fused(GraphNode& node, const FusedPart& fused, TensorId x);

}  // namespace figment::converter
