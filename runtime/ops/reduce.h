// The axes of a reduction, for its forward and its backward.
#pragma once

#include "runtime/math/axes.h"
#include "runtime/ops/operator.h"

namespace figment::ops {

// Bit `axis` is set for every axis that is reduced. Call after the axes were checked.
inline std::uint32_t reduced_axes(const format::Reduce& options, int rank) {
  if (options.axes() == nullptr || options.axes()->size() == 0) return (1U << rank) - 1;
  std::uint32_t mask = 0;
  for (const std::int32_t axis : *options.axes()) mask |= 1U << axis;
  return mask;
}

// How to step over x (tensor 0) and what its numbers are gathered in (1), which stays where an axis
// is reduced.
inline math::Axes<2> reduction_axes(const Shape& x, std::uint32_t reduced) {
  math::Axes<2> axes;
  std::int64_t x_distance = 1;
  std::int64_t y_distance = 1;
  for (int axis = x.rank - 1; axis >= 0; --axis) {
    const bool kept = (reduced >> axis & 1U) == 0;
    axes.add(x[axis], {x_distance, kept ? y_distance : 0});
    x_distance *= x[axis];
    if (kept) y_distance *= x[axis];
  }
  return axes;
}

}  // namespace figment::ops
