// Tensors repeated along their axes.
#include <doctest/doctest.h>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

const format::OperatorOptionsUnion kOptions = options_of(format::TileT{});

void check_tile(TestTensor x, const Shape& shape) {
  for (std::int64_t i = 0; i < x.shape.elements(); ++i) {
    x.values.push_back(static_cast<float>(i % 251));
    x.integers.push_back(static_cast<std::int32_t>(i % 251));
  }
  std::vector<double> expected;
  for_each_element(shape, [&](Indices at) {
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      at[axis] %= x.shape[static_cast<int>(axis)];
    expected.push_back(x.integers[position_of(x.shape, at)]);
  });
  check_operator(kOptions, {x}, shape, expected, 0);
}

}  // namespace

TEST_CASE("along each axis, along all, along none") {
  const Shape shape = shape_of({2, 3, 5});
  check_tile({.shape = shape}, shape);
  check_tile({.shape = shape}, shape_of({6, 3, 5}));
  check_tile({.shape = shape}, shape_of({2, 9, 5}));
  check_tile({.shape = shape}, shape_of({2, 3, 20}));
  check_tile({.shape = shape}, shape_of({4, 6, 15}));
  check_tile({.shape = shape_of({1, 3, 1})}, shape_of({4, 3, 7}));
  check_tile({.shape = shape_of({1})}, shape_of({67}));
  check_tile({.shape = shape_of({})}, shape_of({}));
  check_tile({.shape = shape_of({1, 2, 1, 2, 1, 2, 2, 2})}, shape_of({2, 4, 2, 4, 2, 4, 2, 4}));
}

TEST_CASE("a batch of 5") {
  check_tile({.shape = shape_of({5, 1, 3}), .batched = true}, shape_of({5, 4, 6}));
}

TEST_CASE("integers and bytes") {
  check_tile({.shape = shape_of({2, 3}), .type = DataType::kInt32}, shape_of({4, 9}));
  check_tile({.shape = shape_of({2, 3}), .type = DataType::kUInt8}, shape_of({4, 9}));
  check_tile({.shape = shape_of({1}), .type = DataType::kUInt8}, shape_of({9}));
  check_tile({.shape = shape_of({2, 3}), .type = DataType::kInt8}, shape_of({4, 9}));
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(kOptions, {x}, {}, "must be declared");
  check_refused(kOptions, {x}, shape_of({2, 4}), "2x3 cannot be repeated to fill 2x4");
  check_refused(kOptions, {x}, shape_of({1, 3}), "cannot be repeated");
  check_refused(kOptions, {x}, shape_of({1, 2, 3}), "cannot be repeated");
  check_refused(kOptions, {x}, shape_of({2, -3}), "must be positive");
  check_refused(kOptions, {x}, shape_of({65536, 65537}), "too large");
}
