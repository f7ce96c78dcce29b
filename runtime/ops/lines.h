// The lines of a tensor along one axis, for operators that work on each by itself.
#pragma once

#include "runtime/math/elementary.h"
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

// y = e^(x - m) / sum(e^(x - m)), m the largest x, the sum added in order; y may be x.
inline void softmax_line(const float* x, float* y, std::int64_t length, std::int64_t stride) {
  const float highest = highest_of(x, length, stride);
  double sum = 0;
  if (stride == 1) {
    // A loop of its own is vectorized; the sum must keep its order.
    for (std::int64_t i = 0; i < length; ++i) y[i] = math::exp(x[i] - highest);
    for (std::int64_t i = 0; i < length; ++i) sum += static_cast<double>(y[i]);
  } else {
    for (std::int64_t i = 0; i < length; ++i) {
      const float value = math::exp(x[i * stride] - highest);
      y[i * stride] = value;
      sum += static_cast<double>(value);
    }
  }
  const float scale = static_cast<float>(1.0 / sum);
  for (std::int64_t i = 0; i < length; ++i) y[i * stride] = math::one_nan(y[i * stride] * scale);
}

}  // namespace figment::ops
