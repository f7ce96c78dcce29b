// Copies elements of any type that lie apart into a row-major tensor.
#pragma once

#include "runtime/math/axes.h"

namespace figment::math {

// Writes to `y`, one behind the other, the elements of x that `axes` steps over. Elements have
// `element_bytes` of 1 or 4.
void copy_elements(const Axes<1>& axes, const std::byte* x, std::byte* y,
                   std::size_t element_bytes);

// Writes `count` times the element at `value`.
void repeat_element(const std::byte* value, std::byte* y, std::int64_t count,
                    std::size_t element_bytes);

}  // namespace figment::math
