// Every order of axes.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(std::vector<std::int32_t> permutation) {
  format::TransposeT table;
  table.permutation = std::move(permutation);
  return options_of(table);
}

// Checks one order; the values are the elements' positions.
void check_order(TestTensor x, const std::vector<std::int32_t>& permutation) {
  Shape shape;
  shape.rank = x.shape.rank;
  for (std::size_t axis = 0; axis < permutation.size(); ++axis)
    shape[static_cast<int>(axis)] = x.shape[permutation[axis]];
  std::vector<double> expected;
  for_each_element(shape, [&](const Indices& at) {
    Indices from(at.size());
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      from[static_cast<std::size_t>(permutation[axis])] = at[axis];
    expected.push_back(static_cast<double>(position_of(x.shape, from) % 251));
  });
  for (std::int64_t i = 0; i < x.shape.elements(); ++i) {
    x.values.push_back(static_cast<float>(i % 251));
    x.integers.push_back(static_cast<std::int32_t>(i % 251));
  }
  check_operator(options(permutation), {x}, shape, expected, 0);
}

}  // namespace

TEST_CASE("every order of four axes") {
  std::vector<std::int32_t> permutation = {0, 1, 2, 3};
  do {
    check_order({.shape = shape_of({2, 3, 5, 7})}, permutation);
  } while (std::next_permutation(permutation.begin(), permutation.end()));
}

TEST_CASE("orders of five and eight axes, axes of extent 1, one axis, none") {
  check_order({.shape = shape_of({2, 3, 4, 3, 2})}, {4, 2, 0, 3, 1});
  check_order({.shape = shape_of({2, 3, 2, 1, 2, 2, 3, 2})}, {7, 5, 3, 1, 0, 2, 4, 6});
  check_order({.shape = shape_of({1, 5, 1, 7})}, {0, 3, 1, 2});
  check_order({.shape = shape_of({9})}, {0});
  check_order({.shape = shape_of({})}, {});
  check_order({.shape = shape_of({67, 129})}, {1, 0});
}

TEST_CASE("batch 5, and a batch that moves inward") {
  check_order({.shape = shape_of({5, 3, 4, 7}), .batched = true}, {0, 3, 1, 2});
  check_order({.shape = shape_of({5, 3, 4, 7}), .batched = true}, {0, 2, 3, 1});
  check_order({.shape = shape_of({5, 6}), .batched = true}, {1, 0});
}

TEST_CASE("integers and bytes") {
  check_order({.shape = shape_of({3, 5, 2}), .type = DataType::kInt32}, {2, 0, 1});
  check_order({.shape = shape_of({3, 5, 2}), .type = DataType::kUInt8}, {2, 0, 1});
  check_order({.shape = shape_of({3, 5, 2}), .type = DataType::kInt8}, {2, 0, 1});
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor x{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(options({0}), {x}, {}, "1 entries for a tensor of 2 axes");
  check_refused(options({0, 1, 2}), {x}, {}, "3 entries");
  check_refused(options({}), {x}, {}, "0 entries");
  check_refused(options({1, 1}), {x}, {}, "axis 1 twice");
  check_refused(options({0, 2}), {x}, {}, "axis 2 is outside");
  check_refused(options({0, -1}), {x}, {}, "axis -1 is outside");
}
