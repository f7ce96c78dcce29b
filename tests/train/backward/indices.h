// Positions in tensors, for definitions in double precision.
#pragma once

#include <vector>

#include "figment/figment.h"

namespace figment::testing {

using Index = std::vector<std::int32_t>;

inline Shape shape_of(std::initializer_list<std::int32_t> extents) {
  Shape shape;
  for (const std::int32_t extent : extents) shape.dims[shape.rank++] = extent;
  return shape;
}

// Where element `number` of a tensor stands.
inline Index index_of(const Shape& shape, std::size_t number) {
  Index index(static_cast<std::size_t>(shape.rank));
  for (int axis = shape.rank - 1; axis >= 0; --axis) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    index[static_cast<std::size_t>(axis)] = static_cast<std::int32_t>(number % extent);
    number /= extent;
  }
  return index;
}

// The element at a position; the axes before a shorter shape's, and extents of 1, repeat.
inline std::size_t number_of(const Shape& shape, const Index& index) {
  std::size_t number = 0;
  const std::size_t missing = index.size() - static_cast<std::size_t>(shape.rank);
  for (int axis = 0; axis < shape.rank; ++axis) {
    const std::int32_t at = index[missing + static_cast<std::size_t>(axis)];
    number = number * static_cast<std::size_t>(shape[axis]) +
             static_cast<std::size_t>(shape[axis] == 1 ? 0 : at);
  }
  return number;
}

// value(index) for every position, in row-major order.
template <typename Value>
std::vector<double> each_position(const Shape& shape, const Value& value) {
  std::vector<double> values;
  for (std::size_t number = 0; number < static_cast<std::size_t>(shape.elements()); ++number)
    values.push_back(value(index_of(shape, number)));
  return values;
}

}  // namespace figment::testing
