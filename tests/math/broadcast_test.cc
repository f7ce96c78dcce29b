// NumPy's broadcasting: which shapes fit, and how long the rows become.
#include "runtime/math/broadcast.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace figment;

namespace {

Shape shape_of(std::initializer_list<int> extents) {
  Shape shape;
  for (const int extent : extents) shape[shape.rank++] = extent;
  return shape;
}

math::Axes<2> axes_of(const Shape& a, const Shape& b) {
  Shape together;
  REQUIRE(math::broadcast_shapes(a, b, together));
  return math::broadcast_axes(a, b, together);
}

}  // namespace

TEST_CASE("shapes that fit") {
  Shape together;
  CHECK(math::broadcast_shapes(shape_of({2, 1, 4}), shape_of({3, 1}), together));
  CHECK(together == shape_of({2, 3, 4}));
  CHECK(math::broadcast_shapes(shape_of({}), shape_of({5}), together));
  CHECK(together == shape_of({5}));
  CHECK(math::broadcast_shapes(shape_of({}), shape_of({}), together));
  CHECK(together == shape_of({}));
}

TEST_CASE("shapes that do not fit") {
  Shape together;
  CHECK_FALSE(math::broadcast_shapes(shape_of({2, 3}), shape_of({2}), together));
  CHECK_FALSE(math::broadcast_shapes(shape_of({4}), shape_of({5}), together));
}

TEST_CASE("the same shape and a scalar are one row") {
  CHECK(axes_of(shape_of({2, 3, 4}), shape_of({2, 3, 4})).row_length() == 24);
  const math::Axes<2> scalar = axes_of(shape_of({2, 3, 4}), shape_of({1, 1}));
  CHECK(scalar.row_length() == 24);
  CHECK(scalar.row_stride(0) == 1);
  CHECK(scalar.row_stride(1) == 0);
}

TEST_CASE("a vector along the last axis is a row for each of the others") {
  const math::Axes<2> axes = axes_of(shape_of({2, 3, 4}), shape_of({4}));
  CHECK(axes.row_length() == 4);
  CHECK(axes.row_stride(1) == 1);
  int rows = 0;
  axes.for_each_row([&](const std::int64_t* offsets) {
    CHECK(offsets[0] == 4 * rows);
    CHECK(offsets[1] == 0);
    ++rows;
  });
  CHECK(rows == 6);
}
