// Stepping over axes: the order, and which axes become one.
#include "runtime/math/axes.h"

#include <doctest/doctest.h>

#include <vector>

using namespace figment;

namespace {

std::vector<std::int64_t> row_starts(const math::Axes<1>& axes) {
  std::vector<std::int64_t> starts;
  axes.for_each_row([&](const std::int64_t* offsets) { starts.push_back(offsets[0]); });
  return starts;
}

}  // namespace

TEST_CASE("no axis is one row of one element") {
  const math::Axes<1> axes;
  CHECK(axes.row_length() == 1);
  CHECK(row_starts(axes) == std::vector<std::int64_t>{0});
}

TEST_CASE("axes that lie one behind the other are one; axes of extent 1 are none") {
  math::Axes<1> axes;
  axes.add(3, {1});
  axes.add(1, {1000});
  axes.add(4, {3});
  axes.add(5, {12});
  CHECK(axes.row_length() == 60);
  CHECK(axes.row_stride(0) == 1);
  CHECK(row_starts(axes) == std::vector<std::int64_t>{0});
}

TEST_CASE("rows come in row-major order") {
  math::Axes<1> axes;  // a 2x3x4 tensor with its axes turned around
  axes.add(2, {12});
  axes.add(3, {4});
  axes.add(4, {1});
  CHECK(axes.row_length() == 2);
  CHECK(axes.row_stride(0) == 12);
  CHECK(row_starts(axes) == std::vector<std::int64_t>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
}

TEST_CASE("all tensors must agree before axes become one") {
  math::Axes<2> axes;
  axes.add(3, {1, 1});
  axes.add(4, {3, 0});
  CHECK(axes.row_length() == 3);
  int rows = 0;
  axes.for_each_row([&](const std::int64_t* offsets) {
    CHECK(offsets[0] == 3 * rows);
    CHECK(offsets[1] == 0);
    ++rows;
  });
  CHECK(rows == 4);
}

TEST_CASE("strides of a row-major tensor") {
  Shape shape;
  shape.rank = 3;
  shape[0] = 2;
  shape[1] = 3;
  shape[2] = 4;
  const math::Strides strides = math::row_major_strides(shape);
  CHECK(strides[0] == 12);
  CHECK(strides[1] == 4);
  CHECK(strides[2] == 1);
}
