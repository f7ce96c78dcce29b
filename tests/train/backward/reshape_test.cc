// Gradients through reshaping.
#include <doctest/doctest.h>

#include "tests/train/backward/harness.h"
#include "tests/train/backward/indices.h"

namespace figment::testing {
namespace {

TEST_CASE("gradients pass a reshape as they are") {
  for (const std::int32_t inner : {1, 5, 7}) {
    BackwardCase test;
    test.options = options_of(format::ReshapeT{});
    test.operands = {random_operand({2, 3, inner}, 1)};
    test.declared = shape_of({static_cast<std::int32_t>(test.operands[0].values.size()), 1});
    test.definition = [](const Doubles& operands) { return operands[0]; };
    check_backward(test);
  }
}

}  // namespace
}  // namespace figment::testing
