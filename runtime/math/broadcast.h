// Broadcasting of two tensors, as NumPy defines it: shapes are aligned at their last axes, and an
// axis of extent 1 (or a missing one) repeats.
#pragma once

#include "runtime/math/axes.h"

namespace figment::math {

// The extent of axis `axis` of `rank` axes, when `shape` is aligned at the last one.
inline std::int32_t aligned_extent(const Shape& shape, int axis, int rank) {
  const int own = axis - (rank - shape.rank);
  return own < 0 ? 1 : shape[own];
}

// The shape of both together; false when they do not fit.
inline bool broadcast_shapes(const Shape& a, const Shape& b, Shape& together) {
  together = Shape{};
  together.rank = a.rank > b.rank ? a.rank : b.rank;
  for (int axis = 0; axis < together.rank; ++axis) {
    const std::int32_t a_extent = aligned_extent(a, axis, together.rank);
    const std::int32_t b_extent = aligned_extent(b, axis, together.rank);
    if (a_extent != b_extent && a_extent != 1 && b_extent != 1) return false;
    together[axis] = a_extent == 1 ? b_extent : a_extent;
  }
  return true;
}

// How to step over a (tensor 0) and b (tensor 1) while the result is written in row-major order; a
// stride of 0 repeats.
inline Axes<2> broadcast_axes(const Shape& a, const Shape& b, const Shape& together) {
  Axes<2> axes;
  std::int64_t a_distance = 1;
  std::int64_t b_distance = 1;
  for (int axis = together.rank - 1; axis >= 0; --axis) {
    const std::int32_t a_extent = aligned_extent(a, axis, together.rank);
    const std::int32_t b_extent = aligned_extent(b, axis, together.rank);
    axes.add(together[axis], {a_extent == 1 ? 0 : a_distance, b_extent == 1 ? 0 : b_distance});
    a_distance *= a_extent;
    b_distance *= b_extent;
  }
  return axes;
}

}  // namespace figment::math
