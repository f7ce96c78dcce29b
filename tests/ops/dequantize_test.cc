// Dequantize: every int8 number, and its refusals.
#include <doctest/doctest.h>

#include "tests/ops/quantized_operands.h"

namespace figment::testing {
namespace {

TEST_CASE("every int8 number becomes a multiple of the scale") {
  TestTensor x = int8_tensor(shape_of({4, 64}), 1, false);
  for (int i = 0; i < 256; ++i) x.integers[static_cast<std::size_t>(i)] = i - 128;
  for (const int zero_point : {-128, 3, 127}) {
    std::vector<double> expected;
    for (const std::int32_t q : x.integers)
      expected.push_back(static_cast<double>(0.1f * static_cast<float>(q - zero_point)));
    check_operator(options_of(format::DequantizeT{}),
                   {x, constant_values({0.1f}), int32_constant(shape_of({1}), {zero_point})},
                   x.shape, expected, 0);
  }
}

TEST_CASE("what is refused") {
  const format::OperatorOptionsUnion options = options_of(format::DequantizeT{});
  const TestTensor zero = int32_constant(shape_of({1}), {0});
  check_refused(options, {batched_input(shape_of({2})), constant_values({1}), zero}, {},
                "wrong type of numbers");
  check_refused(options, {int8_tensor(shape_of({2}), 1, false), constant_values({0}), zero}, {},
                "must be positive and finite");
}

}  // namespace
}  // namespace figment::testing
