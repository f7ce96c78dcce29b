// Which numbers each tensor of a float32 model takes, over a calibration set: what the ranges of
// int8 activations are chosen from.
#pragma once

#include <cstdint>
#include <vector>

#include "converter/emit/flatbuffer.h"

namespace figment::converter {

// What the model is run on: latents drawn from its prior, or given numbers for its only input.
struct Calibration {
  int latents = 0;                  // with seeds of their own; 0: `values`
  std::string name;                 // of `values`, for messages
  std::vector<std::int64_t> shape;  // the source's order of axes, samples along the batch's axis
  std::vector<float> values;        // row-major
};

// The set does not fit the model: its shape, its numbers, or where latents would come from.
struct BadCalibration : ConvertError {
  using ConvertError::ConvertError;
};

// How often a tensor's numbers lay in each of many equal parts between the least and the greatest.
struct Histogram {
  double low = 0, high = 0;
  std::vector<double> counts;  // empty: not observed, or a number was not finite

  bool empty() const { return counts.empty(); }
  double middle(std::size_t bin) const {
    return low +
           (high - low) * (static_cast<double>(bin) + 0.5) / static_cast<double>(counts.size());
  }
};

// The histogram of every float32 tensor that an input or a node of `graph` gives, by tensor id.
// Runs the portable backend twice over the set: for the limits, then for the counts. Throws
// BadCalibration.
std::vector<Histogram> observe(const Graph& graph, const std::optional<format::PriorT>& prior,
                               const Calibration& calibration);

}  // namespace figment::converter
