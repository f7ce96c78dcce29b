// Gradients of concatenated tensors.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

TEST_CASE("each input gets its part of the gradient, along every axis") {
  for (const int axis : {0, 1, 2}) {
    CAPTURE(axis);
    format::ConcatT options;
    options.axis = axis;
    BackwardCase test;
    test.options = options_of(options);
    Shape together = shape_of({2, 3, 5});
    const std::int32_t lengths[] = {4, 1, 7};
    for (const std::int32_t length : lengths) {
      Shape part = together;
      part[axis] = length;
      test.operands.push_back(
          random_operand({part[0], part[1], part[2]}, static_cast<std::uint32_t>(length)));
    }
    together[axis] = 12;
    test.definition = [=, operands = test.operands](const Doubles& values) {
      return each_position(together, [&](Index index) {
        std::int32_t& at = index[static_cast<std::size_t>(axis)];
        std::size_t input = 0;
        while (at >= lengths[input]) at -= lengths[input++];
        return values[input][number_of(operands[input].shape, index)];
      });
    };
    check_backward(test);
  }
}

}  // namespace
}  // namespace figment::testing
