// Gradients of numbers taken from one of two tensors.
#include <doctest/doctest.h>

#include "runtime/math/broadcast.h"
#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

using Extents = std::initializer_list<std::int32_t>;

void check_select(const Extents& condition, const Extents& a, const Extents& b) {
  Operand choice;
  choice.shape = shape_of(condition);
  for (std::int64_t i = 0; i < choice.shape.elements(); ++i)
    choice.integers.push_back(static_cast<std::int32_t>(i * i % 3) - 1);
  const Shape a_shape = shape_of(a);
  const Shape b_shape = shape_of(b);
  Shape values;
  Shape y;
  REQUIRE(math::broadcast_shapes(a_shape, b_shape, values));
  REQUIRE(math::broadcast_shapes(choice.shape, values, y));
  BackwardCase test;
  test.options = options_of(format::SelectT{});
  test.operands = {choice, random_operand(a, 1), random_operand(b, 2)};
  test.definition = [=](const Doubles& operands) {
    return each_position(y, [&](const Index& index) {
      return choice.integers[number_of(choice.shape, index)] != 0
                 ? operands[1][number_of(a_shape, index)]
                 : operands[2][number_of(b_shape, index)];
    });
  };
  check_backward(test);
}

TEST_CASE("gradients go to the tensor that was chosen, broadcast or not") {
  check_select({2, 3, 5}, {2, 3, 5}, {2, 3, 5});
  check_select({2, 3, 5}, {}, {5});
  check_select({3, 1}, {2, 3, 5}, {2, 1, 1});
  check_select({1}, {3, 1}, {1, 5});
  check_select({}, {70}, {70});
}

}  // namespace
}  // namespace figment::testing
