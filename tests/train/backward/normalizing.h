// What the tests of normalizations share.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace figment::testing {

// The numbers that stand at `indices` of x, normalized by their own statistics, to the same places
// of y.
inline void normalize(const std::vector<double>& x, const std::vector<std::size_t>& indices,
                      double epsilon, std::vector<double>& y) {
  double mean = 0;
  for (const std::size_t i : indices) mean += x[i] / static_cast<double>(indices.size());
  double variance = 0;
  for (const std::size_t i : indices)
    variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(indices.size());
  for (const std::size_t i : indices) y[i] = (x[i] - mean) / std::sqrt(variance + epsilon);
}

}  // namespace figment::testing
