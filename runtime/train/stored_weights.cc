// Rows widened.
#include "runtime/train/stored_weights.h"

#include "runtime/math/stored_weights.h"

namespace figment::train {

void widen_row(const StoredWeights& weights, std::int64_t row, std::int64_t first,
               std::int64_t count, float* values) {
  math::widen_part(*weights.tensor, row * weights.columns + first, count, values);
  const LowRank& adapter = weights.adapter;
  for (std::int32_t r = 0; r < adapter.rank; ++r) {
    const float factor = adapter.left[row * adapter.rank + r];
    const float* right = adapter.right + r * weights.columns + first;
    for (std::int64_t i = 0; i < count; ++i) values[i] += factor * right[i];
  }
}

}  // namespace figment::train
