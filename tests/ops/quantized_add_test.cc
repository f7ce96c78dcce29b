// QuantizedAdd against integers and a division, bit for bit, and its refusals.
#include <doctest/doctest.h>

#include "tests/ops/quantized_operands.h"

namespace figment::testing {
namespace {

// a's zero point and multiplier, b's, shift, zero point, lowest, highest.
void check(const std::vector<std::int32_t>& numbers) {
  const TestTensor a = int8_tensor(shape_of({3, 5, 19}), 1, false);
  const TestTensor b = int8_tensor(shape_of({3, 5, 19}), 2, false);
  std::vector<double> expected;
  for (std::size_t i = 0; i < a.integers.size(); ++i) {
    const std::int64_t sum = std::int64_t{a.integers[i] - numbers[0]} * numbers[1] +
                             std::int64_t{b.integers[i] - numbers[2]} * numbers[3];
    expected.push_back(static_cast<double>(
        std::clamp<std::int64_t>(divide(sum, numbers[4]) + numbers[5], numbers[6], numbers[7])));
  }
  check_operator(options_of(format::QuantizedAddT{}),
                 {a, b, int32_constant(shape_of({8}), numbers)}, a.shape, expected, 0);
}

TEST_CASE("sums with scales and zero points of their own") {
  check({0, 1 << 20, 0, 1 << 20, 20, 0, -128, 127});
  check({-128, 2097152, 127, 1234567, 22, 5, -128, 127});
  check({127, 2097152, 127, 2097152, 30, -128, -128, 127});
  check({-3, 77, 4, 2097152, 13, 100, -50, 101});  // mostly saturates
  check({10, 0, -10, 3, 1, 0, -128, 127});
}

TEST_CASE("what is refused") {
  const format::OperatorOptionsUnion options = options_of(format::QuantizedAddT{});
  const TestTensor a = int8_tensor(shape_of({2, 3}), 1, false);
  const std::vector<std::int32_t> sound = {0, 1, 0, 1, 1, 0, -128, 127};
  const auto refused = [&](int index, std::int32_t value, const char* words) {
    std::vector<std::int32_t> numbers = sound;
    numbers[static_cast<std::size_t>(index)] = value;
    check_refused(options, {a, a, int32_constant(shape_of({8}), numbers)}, {}, words);
  };
  refused(0, 128, "a zero point is 128");
  refused(1, 2097153, "a multiplier is 2097153");
  refused(2, -129, "a zero point is -129");
  refused(3, -1, "a multiplier is -1");
  refused(4, 31, "a shift is 31");
  refused(4, 0, "a shift is 0");
  refused(5, 200, "a zero point is 200");
  refused(6, 128, "the lowest output is 128");
  refused(7, -129, "the highest output is -129");
  const TestTensor numbers = int32_constant(shape_of({8}), sound);
  check_refused(options, {a, int8_tensor(shape_of({2, 4}), 1, false), numbers}, {},
                "must be the same");
  check_refused(options, {a, batched_input(shape_of({2, 3})), numbers}, {},
                "wrong type of numbers");
  check_refused(options, {a, a, int32_constant(shape_of({7}), {0, 1, 0, 1, 1, 0, -128})}, {},
                "a constant of 8 int32");
}

}  // namespace
}  // namespace figment::testing
