// QuantizedDense against sums of integers and a division, bit for bit, and its refusals.
#include <doctest/doctest.h>

#include "tests/ops/quantized_operands.h"

namespace figment::testing {
namespace {

std::vector<double> reference(const TestTensor& x, const TestTensor& weights,
                              const TestTensor& channels, const TestTensor& range) {
  const int outputs = weights.shape[0];
  const int inputs = weights.shape[1];
  std::vector<double> result;
  for (int row = 0; row < x.shape.elements() / inputs; ++row)
    for (int o = 0; o < outputs; ++o) {
      std::int64_t sum = 0;
      for (int i = 0; i < inputs; ++i)
        sum +=
            (x.integers[row * inputs + i] - range.integers[0]) * weights.integers[o * inputs + i];
      result.push_back(requantized(sum, channels, o, range));
    }
  return result;
}

void check(const Shape& x_shape, int outputs, const TestTensor& range) {
  const int inputs = x_shape[x_shape.rank - 1];
  CAPTURE(inputs);
  CAPTURE(outputs);
  const TestTensor x = int8_tensor(x_shape, 1, false);
  const TestTensor weights = int8_tensor(shape_of({outputs, inputs}), 2, true);
  const TestTensor channels = random_channels(outputs, inputs, 3);
  Shape expected = x_shape;
  expected[expected.rank - 1] = outputs;
  check_operator(options_of(format::QuantizedDenseT{}), {x, weights, channels, range}, expected,
                 reference(x, weights, channels, range), 0);
}

TEST_CASE("integer dense layers of awkward sizes, with zero points") {
  for (int batch : {1, 2, 5})
    for (int inputs : {1, 3, 8, 17, 33})
      for (int outputs : {1, 3, 24})
        for (int zero_point : {-128, 0, 127})
          check(shape_of({batch, inputs}), outputs, range_of(zero_point, -zero_point / 2));
  check(shape_of({3, 5, 7}), 4, range_of(-3, 5));
}

TEST_CASE("clamped to less than int8") { check(shape_of({4, 19}), 9, range_of(10, -20, -20, 90)); }

TEST_CASE("more rows than are wide at a time, and rows too long for two") {
  check(shape_of({31, 301}), 3, range_of(7, 0));
  check(shape_of({3, 5001}), 2, range_of(7, 0));
}

TEST_CASE("sums at the ends of 32 bits saturate") {
  const int inputs = 65000;
  TestTensor x = int8_tensor(shape_of({2, inputs}), 1, false);
  TestTensor weights = int8_tensor(shape_of({2, inputs}), 1, true);
  std::fill(x.integers.begin(), x.integers.end(), 127);
  std::fill(weights.integers.begin(), weights.integers.begin() + inputs, -128);
  std::fill(weights.integers.begin() + inputs, weights.integers.end(), 127);
  const std::int32_t most = INT32_MAX - inputs * 255 * 128;
  for (const int shift : {1, 31, 54, 62}) {
    CAPTURE(shift);
    const TestTensor channels =
        int32_constant(shape_of({2, 3}), {-most, INT32_MAX, shift, most, INT32_MAX, shift});
    const TestTensor range = range_of(-128, 3);
    check_operator(options_of(format::QuantizedDenseT{}), {x, weights, channels, range},
                   shape_of({2, 2}), reference(x, weights, channels, range), 0);
  }
}

TEST_CASE("halves round up") {
  // Sums of -3 to 4 halves.
  TestTensor x = int8_tensor(shape_of({8, 1}), 1, false);
  for (int i = 0; i < 8; ++i) x.integers[static_cast<std::size_t>(i)] = i - 3;
  TestTensor weights = int8_tensor(shape_of({1, 1}), 1, true);
  weights.integers = {1};
  const TestTensor channels = int32_constant(shape_of({1, 3}), {0, 1 << 30, 31});
  check_operator(options_of(format::QuantizedDenseT{}), {x, weights, channels, range_of(0, 0)},
                 shape_of({8, 1}), {-1, -1, 0, 0, 1, 1, 2, 2}, 0);
}

TEST_CASE("integer dense layers that are refused") {
  const format::OperatorOptionsUnion options = options_of(format::QuantizedDenseT{});
  const TestTensor x = int8_tensor(shape_of({2, 7}), 1, false);
  const TestTensor weights = int8_tensor(shape_of({3, 7}), 2, true);
  const TestTensor channels = random_channels(3, 7, 3);
  const TestTensor range = range_of(0, 0);
  const auto refused = [&](const std::vector<TestTensor>& inputs, const char* words) {
    check_refused(options, inputs, {}, words);
  };
  refused({batched_input(shape_of({2, 7})), weights, channels, range}, "wrong type of numbers");
  refused({x, constant(shape_of({3, 7})), channels, range}, "wrong type of numbers");
  refused({x, int8_tensor(shape_of({3, 7}), 2, false), channels, range}, "must be a constant");
  refused({x, int8_tensor(shape_of({3, 8}), 2, true), channels, range}, "must agree");
  refused({x, weights, random_channels(2, 7, 3), range}, "a constant of 9 int32");
  refused({x, weights, channels, random_channels(2, 7, 3)}, "a constant of 4 int32");
  TestTensor computed = channels;
  computed.constant = false;
  refused({x, weights, computed, range}, "a constant of 9 int32");
  refused({x, weights, channels, range_of(128, 0)}, "a zero point is 128");
  refused({x, weights, channels, range_of(0, -129)}, "a zero point is -129");
  refused({x, weights, channels, range_of(0, 0, -129, 0)}, "the lowest output is -129");
  refused({x, weights, channels, range_of(0, 0, 5, 4)}, "the highest output is 4");
  const auto with = [&](int index, std::int32_t value) {
    TestTensor changed = channels;
    changed.integers[static_cast<std::size_t>(index)] = value;
    return changed;
  };
  refused({x, weights, with(0, INT32_MAX - 7 * 255 * 128 + 1), range}, "a bias is");
  refused({x, weights, with(3, INT32_MIN), range}, "a bias is");
  refused({x, weights, with(4, -1), range}, "a multiplier is -1");
  refused({x, weights, with(5, 0), range}, "a shift is 0");
  refused({x, weights, with(8, 63), range}, "a shift is 63");
  refused({int8_tensor(shape_of({1, 66000}), 1, false), int8_tensor(shape_of({1, 66000}), 1, true),
           random_channels(1, 1, 1), range},
          "might leave 32 bits");
}

}  // namespace
}  // namespace figment::testing
