// Padding, which convolutions have in all its modes.
#pragma once

#include <string>

#include "converter/import/spatial.h"
#include "converter/import/torch/call.h"

namespace figment::converter {

// x [N,C,...] with the window's padding: zeros, reflect or replicate.
TensorId pad_spatially(TorchCall& call, TensorId x, const SlidingWindow& window,
                       const std::string& mode);

}  // namespace figment::converter
