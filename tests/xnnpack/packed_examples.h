// Models of one layer for every room that packs weights.
#pragma once

#include <string>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::testing {

struct Example {
  std::string name;
  std::string lowering;         // the way to run it
  std::vector<std::byte> file;  // the model, untuned
  std::vector<int> weights;     // which operands hold weights that may be packed
  bool packs = true;            // whether its packed weights may come from a file
};

// Dense layers, transposed convolutions and convolutions in every way, with weights of every type,
// and recurrent layers. int8 weights only where the loops at hand multiply integers.
std::vector<Example> packed_examples();

// One of them that is as large as asked: Dense [outputs, inputs].
Example dense_example(DataType type, int outputs, int inputs);

// A 3x3 convolution from 19 to 37 channels of a picture of 9x7.
Example conv2d_example(DataType type, const std::string& lowering);

}  // namespace figment::testing
