// The lines of a tensor along one axis, for operators that work on each by itself.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::ops {

// How far the elements of a line along `axis` stand apart.
inline std::int64_t line_stride(const Shape& shape, int axis) {
  std::int64_t stride = 1;
  for (int inner = axis + 1; inner < shape.rank; ++inner) stride *= shape[inner];
  return stride;
}

// Calls line(offset, number) for every line along `axis`, in row-major order of what the other axes
// say: `offset` is where its first element stands, `number` counts the lines.
template <typename Line>
void for_each_line(const Shape& shape, int axis, Line&& line) {
  const std::int64_t stride = line_stride(shape, axis);
  const std::int64_t elements = shape.elements();
  std::int64_t number = 0;
  for (std::int64_t outer = 0; outer < elements; outer += shape[axis] * stride)
    for (std::int64_t inner = 0; inner < stride; ++inner) line(outer + inner, number++);
}

// The largest of `length` numbers, for softmax: a NaN is passed over unless it is the first.
inline float highest_of(const float* x, std::int64_t length, std::int64_t stride) {
  float highest = x[0];
  for (std::int64_t i = 1; i < length; ++i)
    highest = x[i * stride] > highest ? x[i * stride] : highest;
  return highest;
}

}  // namespace figment::ops
