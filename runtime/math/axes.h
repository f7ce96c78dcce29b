// Steps over the axes of several tensors at once: what most operators that move data around do.
#pragma once

#include <cstdint>

#include "figment/figment.h"

namespace figment::math {

// Axes, innermost first, and how many elements each of `kTensors` tensors moves a step along each.
// Axes of extent 1 are left out, and axes that lie in memory one behind the other in every tensor
// are made one: so the innermost axis is as long as it can be.
template <int kTensors>
class Axes {
 public:
  // Adds an axis outside the ones there are.
  void add(std::int64_t extent, const std::int64_t (&strides)[kTensors]) {
    if (extent == 1) return;
    if (rank_ > 0) {
      bool behind = true;
      for (int tensor = 0; tensor < kTensors; ++tensor)
        behind = behind && strides[tensor] == strides_[rank_ - 1][tensor] * extents_[rank_ - 1];
      if (behind) {
        extents_[rank_ - 1] *= extent;
        return;
      }
    }
    extents_[rank_] = extent;
    for (int tensor = 0; tensor < kTensors; ++tensor) strides_[rank_][tensor] = strides[tensor];
    ++rank_;
  }

  // The innermost axis; of extent 1 when there is none.
  std::int64_t row_length() const { return extents_[0]; }
  std::int64_t row_stride(int tensor) const { return strides_[0][tensor]; }

  // Axes after those of extent 1 went and neighbours became one; 0 the innermost.
  int rank() const { return rank_; }
  std::int64_t extent(int axis) const { return extents_[axis]; }
  std::int64_t stride(int axis, int tensor) const { return strides_[axis][tensor]; }
  // How many rows along the innermost axis there are.
  std::int64_t rows() const {
    std::int64_t product = 1;
    for (int axis = 1; axis < rank_; ++axis) product *= extents_[axis];
    return product;
  }

  // Calls row(offsets) for rows `first` to before `last`, where a walk over all is shared out.
  template <typename Row>
  void for_rows(std::int64_t first, std::int64_t last, Row&& row) const {
    std::int64_t offsets[kTensors] = {};
    std::int64_t position[kMaxAxes] = {};
    std::int64_t rest = first;
    for (int axis = 1; axis < rank_; ++axis) {
      position[axis] = rest % extents_[axis];
      rest /= extents_[axis];
      for (int tensor = 0; tensor < kTensors; ++tensor)
        offsets[tensor] += strides_[axis][tensor] * position[axis];
    }
    for (std::int64_t number = first; number < last; ++number) {
      row(offsets);
      for (int axis = 1; axis < rank_; ++axis) {
        for (int tensor = 0; tensor < kTensors; ++tensor) offsets[tensor] += strides_[axis][tensor];
        if (++position[axis] < extents_[axis]) break;
        for (int tensor = 0; tensor < kTensors; ++tensor)
          offsets[tensor] -= strides_[axis][tensor] * extents_[axis];
        position[axis] = 0;
      }
    }
  }

  // Calls row(offsets) for the beginning of every row along the innermost axis, in row-major order.
  template <typename Row>
  void for_each_row(Row&& row) const {
    std::int64_t offsets[kTensors] = {};
    std::int64_t position[kMaxAxes] = {};
    int axis = 0;
    do {
      row(offsets);
      for (axis = 1; axis < rank_; ++axis) {
        for (int tensor = 0; tensor < kTensors; ++tensor) offsets[tensor] += strides_[axis][tensor];
        if (++position[axis] < extents_[axis]) break;
        for (int tensor = 0; tensor < kTensors; ++tensor)
          offsets[tensor] -= strides_[axis][tensor] * extents_[axis];
        position[axis] = 0;
      }
    } while (axis < rank_);
  }

 private:
  // Twice the axes of a tensor: repeated ones are split in two.
  static constexpr int kMaxAxes = 2 * kMaxRank;

  std::int32_t rank_ = 0;
  std::int64_t extents_[kMaxAxes] = {1};
  std::int64_t strides_[kMaxAxes][kTensors] = {};
};

// Distances in elements between neighbours along each axis of a row-major tensor.
struct Strides {
  std::int64_t values[kMaxRank] = {};
  std::int64_t operator[](int axis) const { return values[axis]; }
};
inline Strides row_major_strides(const Shape& shape) {
  Strides strides;
  std::int64_t distance = 1;
  for (int axis = shape.rank - 1; axis >= 0; --axis) {
    strides.values[axis] = distance;
    distance *= shape[axis];
  }
  return strides;
}

}  // namespace figment::math
