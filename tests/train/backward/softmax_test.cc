// Gradients of softmax against central differences in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

void check_softmax(std::initializer_list<std::int32_t> extents, int axis) {
  CAPTURE(axis);
  const Shape shape = shape_of(extents);
  CAPTURE(shape.elements());
  format::SoftmaxT options;
  options.axis = axis;
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {random_operand(extents, 1, -3, 3)};
  test.definition = [=](const Doubles& operands) {
    return each_position(shape, [&](Index index) {
      const double own = std::exp(operands[0][number_of(shape, index)]);
      double sum = 0;
      for (std::int32_t i = 0; i < shape[axis]; ++i) {
        index[static_cast<std::size_t>(axis)] = i;
        sum += std::exp(operands[0][number_of(shape, index)]);
      }
      return own / sum;
    });
  };
  check_backward(test);
}

TEST_CASE("gradients of softmax along every axis") {
  for (const int axis : {0, 1, 2}) {
    check_softmax({3, 5, 7}, axis);
    check_softmax({2, 3, 1}, axis);
  }
  check_softmax({3, 17}, 1);
  check_softmax({2, 131}, 1);
  check_softmax({3, 70}, 0);
}

}  // namespace
}  // namespace figment::testing
