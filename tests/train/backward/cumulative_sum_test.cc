// Gradients of running sums.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

TEST_CASE("gradients of running sums, of every kind and along every axis") {
  const Shape shape = shape_of({3, 5, 35});
  for (const int axis : {0, 1, 2})
    for (const bool exclusive : {false, true})
      for (const bool reverse : {false, true}) {
        CAPTURE(axis);
        CAPTURE(exclusive);
        CAPTURE(reverse);
        format::CumulativeSumT options;
        options.axis = axis;
        options.exclusive = exclusive;
        options.reverse = reverse;
        BackwardCase test;
        test.options = options_of(options);
        test.operands = {random_operand({3, 5, 35}, 1)};
        test.definition = [=](const Doubles& operands) {
          return each_position(shape, [&](Index index) {
            const auto place = static_cast<std::size_t>(axis);
            const std::int32_t own = index[place];
            double sum = 0;
            for (std::int32_t i = 0; i < shape[axis]; ++i) {
              index[place] = i;
              const bool before = reverse ? i > own : i < own;
              if (before || (i == own && !exclusive)) sum += operands[0][number_of(shape, index)];
            }
            return sum;
          });
        };
        check_backward(test);
      }
}

}  // namespace
}  // namespace figment::testing
