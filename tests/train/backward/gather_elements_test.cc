// Gradients of numbers taken one by one.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

TEST_CASE("gradients are added to the numbers that were taken") {
  for (const int axis : {0, 1, 2}) {
    CAPTURE(axis);
    const Shape data = shape_of({3, 4, 5});
    Operand indices;
    indices.shape = shape_of({2, 3, 5});
    indices.shape[axis] = 6;
    for (std::int64_t i = 0; i < indices.shape.elements(); ++i)
      indices.integers.push_back(static_cast<std::int32_t>(i * 7 % 11) % data[axis] -
                                 (i % 5 == 0 ? data[axis] : 0));
    format::GatherElementsT options;
    options.axis = axis;
    BackwardCase test;
    test.options = options_of(options);
    test.operands = {random_operand({3, 4, 5}, 1), indices};
    test.definition = [=](const Doubles& operands) {
      return each_position(indices.shape, [&](Index index) {
        const std::int32_t at = indices.integers[number_of(indices.shape, index)];
        index[static_cast<std::size_t>(axis)] = at < 0 ? at + data[axis] : at;
        return operands[0][number_of(data, index)];
      });
    };
    check_backward(test);
  }
}

}  // namespace
}  // namespace figment::testing
