// How far a model with smaller weights is from the same model with weights as float32.
#pragma once

#include <string>
#include <vector>

#include "figment/figment.h"

namespace figment::converter {

// Of one output, over all seeds.
struct OutputAccuracy {
  std::string name;
  // The peak over the root of the mean squared error, in dB. The peak is the picture's range, or
  // what lies between the smallest and the largest number of float32. Infinity: no error.
  double psnr = 0;
  double largest_error = 0;
};

struct Accuracy {
  int seeds = 0;  // 0: not measured
  std::vector<OutputAccuracy> outputs;
};

// Runs both models with the same latents, at batch 1: 64 of them, fewer where that would be a
// matter of minutes. The smaller one runs by the portable definition, and where this processor's
// loops are less exact also on those, and on those of its predecessors: the worst counts. Outputs
// have the same shapes. Throws ConvertError.
Accuracy measure_accuracy(const Model& exact, const Model& smaller);

}  // namespace figment::converter
