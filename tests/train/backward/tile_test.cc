// Gradients of repeated tensors.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

void check_tile(std::initializer_list<std::int32_t> extents, const Index& repeats) {
  const Shape x = shape_of(extents);
  BackwardCase test;
  test.options = options_of(format::TileT{});
  test.operands = {random_operand(extents, 1)};
  test.declared = x;
  for (int axis = 0; axis < x.rank; ++axis)
    test.declared[axis] *= repeats[static_cast<std::size_t>(axis)];
  test.definition = [=, y = test.declared](const Doubles& operands) {
    return each_position(y, [&](Index index) {
      for (int axis = 0; axis < x.rank; ++axis) index[static_cast<std::size_t>(axis)] %= x[axis];
      return operands[0][number_of(x, index)];
    });
  };
  check_backward(test);
}

TEST_CASE("gradients of repetitions are added up") {
  check_tile({2, 3, 5}, {1, 1, 1});
  check_tile({2, 3, 5}, {3, 1, 1});
  check_tile({2, 3, 5}, {1, 3, 1});
  check_tile({2, 3, 5}, {2, 1, 3});
  check_tile({2, 3, 5}, {2, 3, 4});
  check_tile({2, 1}, {2, 70});
  check_tile({1, 1, 3}, {5, 4, 1});
  check_tile({70}, {300});
}

}  // namespace
}  // namespace figment::testing
