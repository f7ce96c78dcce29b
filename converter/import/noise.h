// Random numbers in trained files: what a variational autoencoder draws its latent with.
#pragma once

#include <string>

#include "converter/import/import.h"
#include "converter/import/node_builder.h"

namespace figment::converter {

// Standard normal noise of this shape: an operator with this seed, or an input of that name that
// the user fills.
inline TensorId add_noise(NodeBuilder& node, NoiseHandling handling, const std::string& input,
                          unsigned seed, const Shape& shape) {
  if (handling == NoiseHandling::kInput)
    return node.graph().add_input(input, DataType::kFloat32, shape);
  format::RandomNormalT options;
  options.seed = seed;
  return node.emit(options, {}, shape);
}

}  // namespace figment::converter
