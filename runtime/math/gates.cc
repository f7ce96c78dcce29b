// The loops of gated cells. A NaN that may reach an output has one bit pattern.
#include "runtime/math/gates.h"

#include "runtime/math/elementary.h"

namespace figment::math {

void add(const float* __restrict x, float* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += x[i];
}

void add_product(const float* __restrict a, const float* __restrict b, float* __restrict y,
                 std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += a[i] * b[i];
}

void multiply(const float* __restrict a, const float* __restrict b, float* __restrict y,
              std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = one_nan(a[i] * b[i]);
}

void complement(const float* __restrict x, float* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = 1.0F - x[i];
}

void blend(const float* __restrict keep, const float* __restrict take,
           const float* __restrict candidate, float* __restrict state, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    state[i] = one_nan(keep[i] * state[i] + take[i] * candidate[i]);
}

}  // namespace figment::math
