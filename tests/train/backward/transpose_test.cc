// Gradients through transposed axes.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

void check_transpose(std::initializer_list<std::int32_t> extents,
                     const std::vector<int>& permutation) {
  const Shape x = shape_of(extents);
  format::TransposeT options;
  options.permutation = permutation;
  Shape y;
  for (const int axis : permutation) y.dims[y.rank++] = x[axis];
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {random_operand(extents, 1)};
  test.definition = [=](const Doubles& operands) {
    return each_position(y, [&](const Index& index) {
      Index from(index.size());
      for (std::size_t axis = 0; axis < index.size(); ++axis)
        from[static_cast<std::size_t>(permutation[axis])] = index[axis];
      return operands[0][number_of(x, from)];
    });
  };
  check_backward(test);
}

TEST_CASE("gradients go back through every permutation") {
  std::vector<int> permutation{0, 1, 2, 3};
  do {
    check_transpose({2, 3, 4, 5}, permutation);
  } while (std::next_permutation(permutation.begin(), permutation.end()));
  check_transpose({3, 1, 7}, {2, 0, 1});
  check_transpose({17, 33}, {1, 0});
  check_transpose({2, 19, 3, 5}, {0, 2, 3, 1});
  check_transpose({2, 3, 17, 2}, {3, 1, 2, 0});
  check_transpose({1, 1}, {1, 0});
}

}  // namespace
}  // namespace figment::testing
