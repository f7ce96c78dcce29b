// Quantize: rounding, saturation and what is no number, and its refusals.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/quantized_operands.h"

namespace figment::testing {
namespace {

const format::OperatorOptionsUnion kOptions = options_of(format::QuantizeT{});

TestTensor values(std::vector<float> numbers) {
  TestTensor tensor = batched_input(shape_of({static_cast<std::int32_t>(numbers.size())}));
  tensor.values = std::move(numbers);
  return tensor;
}

TestTensor zero_point(std::int32_t value) { return int32_constant(shape_of({1}), {value}); }

TEST_CASE("float32 becomes the nearest int8") {
  const TestTensor x = batched_input(shape_of({3, 5, 7}));
  for (const float scale : {0.25f, 0.0078125f, 2.0f})
    for (const int zero : {-128, 0, 11, 127}) {
      std::vector<double> expected;
      for (const float value : x.values)
        expected.push_back(
            std::fmin(127, std::fmax(-128, std::nearbyint(double{value} / scale) + zero)));
      check_operator(kOptions, {x, constant_values({scale}), zero_point(zero)}, x.shape, expected,
                     0);
    }
}

TEST_CASE("halves go to even, and everything has an integer") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const TestTensor x = values({0.5f, 1.5f, -0.5f, -1.5f, 2.5f, 1e30f, -1e30f, kInfinity, -kInfinity,
                               std::numeric_limits<float>::quiet_NaN(), -0.0f, 126.6f, -130.2f});
  check_operator(kOptions, {x, constant_values({1}), zero_point(0)}, x.shape,
                 {0, 2, 0, -2, 2, 127, -128, 127, -128, -128, 0, 127, -128}, 0);
  check_operator(kOptions, {x, constant_values({1}), zero_point(100)}, x.shape,
                 {100, 102, 100, 98, 102, 127, -128, 127, -128, -128, 100, 127, -30}, 0);
}

TEST_CASE("what is refused") {
  const TestTensor x = values({1, 2});
  const auto refused = [&](const std::vector<TestTensor>& inputs, const char* words) {
    check_refused(kOptions, inputs, {}, words);
  };
  refused({int8_tensor(shape_of({2}), 1, false), constant_values({1}), zero_point(0)},
          "input 0 must be float32");
  refused({x, constant_values({1, 1}), zero_point(0)}, "a constant of one number");
  refused({x, fixed_input(shape_of({1})), zero_point(0)}, "a constant of one number");
  for (const float scale : {0.0f, -1.0f, 1e-39f, 1e38f * 10, std::nanf("")})
    refused({x, constant_values({scale}), zero_point(0)}, "must be positive and finite");
  refused({x, constant_values({1}), zero_point(128)}, "a zero point is 128");
  refused({x, constant_values({1}), int32_constant(shape_of({2}), {0, 0})},
          "a constant of 1 int32");
}

}  // namespace
}  // namespace figment::testing
