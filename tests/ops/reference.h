// Naive walks over tensors, for goldens: by indices, with no thought for speed.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "figment/figment.h"

namespace figment::testing {

using Indices = std::vector<std::int32_t>;

// Calls visit(indices) for every element, in row-major order.
inline void for_each_element(const Shape& shape, const std::function<void(const Indices&)>& visit) {
  Indices indices(static_cast<std::size_t>(shape.rank), 0);
  for (std::int64_t left = shape.elements(); left > 0; --left) {
    visit(indices);
    for (std::size_t axis = indices.size(); axis-- > 0;) {
      if (++indices[axis] < shape[static_cast<int>(axis)]) break;
      indices[axis] = 0;
    }
  }
}

// Where the element with `indices` stands in a row-major tensor.
inline std::size_t position_of(const Shape& shape, const Indices& indices) {
  std::int64_t position = 0;
  for (int axis = 0; axis < shape.rank; ++axis)
    position = position * shape[axis] + indices[static_cast<std::size_t>(axis)];
  return static_cast<std::size_t>(position);
}

// The element that NumPy's broadcasting pairs with `indices` of the larger shape.
inline std::size_t broadcast_position(const Shape& shape, const Indices& indices) {
  Indices own(static_cast<std::size_t>(shape.rank));
  const std::size_t missing = indices.size() - own.size();
  for (std::size_t axis = 0; axis < own.size(); ++axis)
    own[axis] = shape[static_cast<int>(axis)] == 1 ? 0 : indices[missing + axis];
  return position_of(shape, own);
}

}  // namespace figment::testing
