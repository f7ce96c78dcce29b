// Gradients of embeddings and other chosen rows.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

TEST_CASE("gradients are added to the rows that were taken, more than once too") {
  // Negative ones count from the end, and what is out of range is clamped.
  const std::vector<std::int32_t> indices{1, 0, 1, -1, 9, -9};
  const std::int32_t rows[] = {1, 0, 1, 3, 3, 0};
  for (const int axis : {0, 1, 2}) {
    CAPTURE(axis);
    Shape data = shape_of({3, 5, 7});
    data[axis] = 4;
    format::GatherT options;
    options.axis = axis;
    BackwardCase test;
    test.options = options_of(options);
    Operand chosen;
    chosen.shape = shape_of({2, 3});
    chosen.integers = indices;
    test.operands = {random_operand({data[0], data[1], data[2]}, 1), chosen};
    test.definition = [=](const Doubles& operands) {
      Shape y;
      for (int at = 0; at < 3; ++at) {
        if (at == axis) y.dims[y.rank++] = 2;
        y.dims[y.rank++] = at == axis ? 3 : data[at];
      }
      return each_position(y, [&](const Index& index) {
        Index from;
        for (int at = 0; at < 4; ++at) {
          const auto place = static_cast<std::size_t>(at);
          if (at == axis) continue;
          from.push_back(at == axis + 1 ? rows[index[place - 1] * 3 + index[place]] : index[place]);
        }
        return operands[0][number_of(data, from)];
      });
    };
    check_backward(test);
  }
}

TEST_CASE("the gradient of an embedding that threads share out is right") {
  constexpr std::int32_t kColumns = 600;
  BackwardCase test;
  test.options = options_of(format::GatherT{});
  Operand chosen;
  chosen.shape = shape_of({30});
  for (std::int32_t i = 0; i < 30; ++i) chosen.integers.push_back(i % 2);
  test.operands = {random_operand({2, kColumns}, 1), chosen};
  test.definition = [](const Doubles& operands) {
    return each_position(shape_of({30, kColumns}), [&](const Index& index) {
      return operands[0][static_cast<std::size_t>(index[0] % 2 * kColumns + index[1])];
    });
  };
  check_backward(test);
}

}  // namespace
}  // namespace figment::testing
