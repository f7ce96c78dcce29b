// QuantizedUnary: a table is what it says, and its refusals.
#include <doctest/doctest.h>

#include "tests/ops/quantized_operands.h"

namespace figment::testing {
namespace {

TEST_CASE("every number becomes its entry") {
  const TestTensor table = int8_tensor(shape_of({256}), 7, true);
  for (const int count : {1, 3, 17, 300}) {
    const TestTensor x = int8_tensor(shape_of({2, count}), 5, false);
    std::vector<double> expected;
    for (const std::int32_t q : x.integers)
      expected.push_back(table.integers[static_cast<std::size_t>(q + 128)]);
    check_operator(options_of(format::QuantizedUnaryT{}), {x, table}, x.shape, expected, 0);
  }
}

TEST_CASE("what is refused") {
  const format::OperatorOptionsUnion options = options_of(format::QuantizedUnaryT{});
  const TestTensor x = int8_tensor(shape_of({2, 3}), 1, false);
  const TestTensor table = int8_tensor(shape_of({256}), 1, true);
  check_refused(options, {batched_input(shape_of({2, 3})), table}, {}, "wrong type of numbers");
  check_refused(options, {x, int8_tensor(shape_of({255}), 1, true)}, {}, "a constant of 256");
  check_refused(options, {x, constant(shape_of({256}))}, {}, "wrong type of numbers");
  TestTensor computed = table;
  computed.constant = false;
  check_refused(options, {x, computed}, {}, "a constant of 256");
}

}  // namespace
}  // namespace figment::testing
