// Gradients of parts of tensors.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

void check_slice(const std::vector<int>& starts, const std::vector<int>& sizes,
                 const std::vector<int>& steps) {
  const Shape x = shape_of({4, 5, 6});
  format::SliceT options;
  options.starts = starts;
  options.sizes = sizes;
  options.steps = steps;
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {random_operand({4, 5, 6}, 1)};
  test.definition = [=](const Doubles& operands) {
    return each_position(shape_of({sizes[0], sizes[1], sizes[2]}), [&](Index index) {
      for (std::size_t axis = 0; axis < 3; ++axis)
        index[axis] = starts[axis] + index[axis] * steps[axis];
      return operands[0][number_of(x, index)];
    });
  };
  check_backward(test);
}

TEST_CASE("gradients of slices stand where they were cut out") {
  check_slice({0, 0, 0}, {4, 5, 6}, {1, 1, 1});
  check_slice({1, 0, 0}, {2, 5, 6}, {1, 1, 1});
  check_slice({0, 2, 1}, {4, 2, 3}, {1, 1, 1});
  check_slice({0, 0, 1}, {2, 2, 3}, {2, 3, 2});
  check_slice({3, 4, 5}, {4, 2, 3}, {-1, -3, -2});
  check_slice({3, 4, 5}, {1, 1, 1}, {1, 1, 1});
}

}  // namespace
}  // namespace figment::testing
