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
  // The same with the loops of this processor, or of one that it can stand for, that are furthest
  // from float32; the name of those loops is empty where none is further than the definition.
  double least_psnr = 0;
  std::string least_on;
};

struct Accuracy {
  int seeds = 0;  // 0: not measured
  std::vector<OutputAccuracy> outputs;
};

// Runs both models by the portable definition with the same latents, at batch 1: 64 of them, fewer
// where that would be a matter of minutes; the smaller one also on loops of this processor that are
// less exact (tiles of integers, weights as 16 bits bear them). Outputs have the same shapes.
// Throws ConvertError.
Accuracy measure_accuracy(const Model& exact, const Model& smaller);

}  // namespace figment::converter
