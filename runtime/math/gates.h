// The loops of gated cells: elementwise arithmetic over arrays that do not overlap.
#pragma once

#include <cstdint>

namespace figment::math {

// y += x
void add(const float* x, float* y, std::int64_t count);

// y += a * b
void add_product(const float* a, const float* b, float* y, std::int64_t count);

// y = a * b
void multiply(const float* a, const float* b, float* y, std::int64_t count);

// y = 1 - x
void complement(const float* x, float* y, std::int64_t count);

// state = keep * state + take * candidate
void blend(const float* keep, const float* take, const float* candidate, float* state,
           std::int64_t count);

}  // namespace figment::math
