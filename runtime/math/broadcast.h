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

// How to step over the tensors while the result is written in row-major order; a stride of 0
// repeats.
template <int kTensors>
Axes<kTensors> broadcast_axes(const Shape (&shapes)[kTensors], const Shape& together) {
  Axes<kTensors> axes;
  std::int64_t distances[kTensors];
  for (std::int64_t& distance : distances) distance = 1;
  for (int axis = together.rank - 1; axis >= 0; --axis) {
    std::int64_t strides[kTensors];
    for (int tensor = 0; tensor < kTensors; ++tensor) {
      const std::int32_t extent = aligned_extent(shapes[tensor], axis, together.rank);
      strides[tensor] = extent == 1 ? 0 : distances[tensor];
      distances[tensor] *= extent;
    }
    axes.add(together[axis], strides);
  }
  return axes;
}

inline Axes<2> broadcast_axes(const Shape& a, const Shape& b, const Shape& together) {
  return broadcast_axes<2>({a, b}, together);
}

}  // namespace figment::math
