// Weights as a file stores them, float16, int8 or int4, and perhaps with a low-rank adapter beside
// them, read as float32 row by row.
#pragma once

#include "figment/figment.h"

namespace figment::train {

// left [rows, rank] * right [rank, columns].
struct LowRank {
  const float* left = nullptr;
  const float* right = nullptr;
  std::int32_t rank = 0;
};

// The matrix [outputs, columns] of a layer's weights: what is stored, plus the adapter.
struct StoredWeights {
  const Tensor* tensor;
  std::int64_t columns;
  LowRank adapter = {};
};

// Numbers `first` to before `first` + `count` of row `row`.
void widen_row(const StoredWeights& weights, std::int64_t row, std::int64_t first,
               std::int64_t count, float* values);

}  // namespace figment::train
