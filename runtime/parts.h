// How much of a batch runs at once: many samples share one reading of the weights, but must not
// drive each other's numbers out of the cache between two operators.
#pragma once

#include "runtime/model_view.h"

namespace figment {

// How many samples of `batch` run together, at least 1: all of them, or, where the model keeps its
// samples apart, no more than what the widest operator reads and writes within the cache.
std::int32_t samples_at_once(const format::Model& root, std::int32_t batch);

}  // namespace figment
