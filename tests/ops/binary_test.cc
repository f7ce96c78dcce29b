// Arithmetic of two tensors: every way to broadcast, both types, the ends, and what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;
using format::BinaryFunction;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const BinaryFunction kFunctions[] = {
    BinaryFunction::Add,    BinaryFunction::Sub,      BinaryFunction::Mul, BinaryFunction::Div,
    BinaryFunction::Pow,    BinaryFunction::Max,      BinaryFunction::Min, BinaryFunction::PRelu,
    BinaryFunction::Modulo, BinaryFunction::Remainder};

// What division leaves over, with the sign of the divisor.
double modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double truth(BinaryFunction function, double a, double b) {
  switch (function) {
    case BinaryFunction::Add:
      return a + b;
    case BinaryFunction::Sub:
      return a - b;
    case BinaryFunction::Mul:
      return a * b;
    case BinaryFunction::Div:
      return a / b;
    case BinaryFunction::Pow:
      return std::pow(a, b);
    case BinaryFunction::Max:
      return std::isnan(a) || std::isnan(b) ? std::nan("") : std::fmax(a, b);
    case BinaryFunction::Min:
      return std::isnan(a) || std::isnan(b) ? std::nan("") : std::fmin(a, b);
    case BinaryFunction::PRelu:
      return a < 0 ? a * b : a;
    case BinaryFunction::Modulo:
      return modulo(a, b);
    case BinaryFunction::Remainder:
      return std::fmod(a, b);
  }
  return 0;
}

format::OperatorOptionsUnion options(BinaryFunction function) {
  format::BinaryT table;
  table.function = function;
  return options_of(table);
}

std::vector<double> expected_of(BinaryFunction function, const TestTensor& a, const TestTensor& b,
                                const Shape& together) {
  std::vector<double> expected;
  for_each_element(together, [&](const Indices& at) {
    expected.push_back(truth(function, a.values[broadcast_position(a.shape, at)],
                             b.values[broadcast_position(b.shape, at)]));
  });
  return expected;
}

TestTensor operand(const Shape& shape, std::uint32_t seed, bool positive) {
  return {.shape = shape,
          .values = random_values(shape.elements(), seed, positive ? 0.1F : -3.0F, 3.0F)};
}

TestTensor whole(std::vector<std::int32_t> values) {
  TestTensor tensor{.shape = shape_of({static_cast<int>(values.size())}), .type = DataType::kInt32};
  tensor.integers = std::move(values);
  return tensor;
}

std::vector<std::int32_t> run_whole(BinaryFunction function, std::vector<std::int32_t> a,
                                    std::vector<std::int32_t> b) {
  const Run run = run_operator(options(function), {whole(std::move(a)), whole(std::move(b))}, {},
                               Backend::kXnnpack);
  CHECK(run.error == "");
  CHECK(run.type == DataType::kInt32);
  return run.integers;
}

}  // namespace

TEST_CASE("every function on every way to broadcast") {
  struct Pair {
    Shape a, b, together;
  };
  const Pair pairs[] = {
      {shape_of({3, 5, 7}), shape_of({3, 5, 7}), shape_of({3, 5, 7})},
      {shape_of({3, 5, 7}), shape_of({}), shape_of({3, 5, 7})},
      {shape_of({}), shape_of({3, 5, 7}), shape_of({3, 5, 7})},
      {shape_of({3, 5, 7}), shape_of({1, 1}), shape_of({3, 5, 7})},
      {shape_of({2, 3, 5, 7}), shape_of({7}), shape_of({2, 3, 5, 7})},
      {shape_of({1, 67}), shape_of({3, 67}), shape_of({3, 67})},
      {shape_of({2, 3, 5, 3}), shape_of({2, 1, 1, 3}), shape_of({2, 3, 5, 3})},
      {shape_of({2, 3, 5, 4}), shape_of({2, 3, 5, 1}), shape_of({2, 3, 5, 4})},
      {shape_of({5, 1}), shape_of({1, 37}), shape_of({5, 37})},
      {shape_of({2, 1, 3, 1, 2}), shape_of({4, 1, 5, 1}), shape_of({2, 4, 3, 5, 2})},
      {shape_of({2, 1, 2, 1, 2, 1, 2, 1}), shape_of({1, 2, 1, 2, 1, 2, 1, 2}),
       shape_of({2, 2, 2, 2, 2, 2, 2, 2})},
      {shape_of({}), shape_of({}), shape_of({})},
  };
  for (const BinaryFunction function : kFunctions) {
    CAPTURE(format::EnumNameBinaryFunction(function));
    for (const Pair& pair : pairs) {
      CAPTURE(pair.a.rank);
      const TestTensor a = operand(pair.a, 1, function == BinaryFunction::Pow);
      TestTensor b = operand(pair.b, 2, function == BinaryFunction::Div);
      const std::vector<double> expected = expected_of(function, a, b, pair.together);
      check_operator(options(function), {a, b}, pair.together, expected);
      b.constant = true;
      check_operator(options(function), {a, b}, pair.together, expected);
    }
  }
}

TEST_CASE("a batch of 5 with a constant vector, and with another batch") {
  const Shape shape = shape_of({5, 3, 3, 7});
  TestTensor a = operand(shape, 3, false);
  a.batched = true;
  TestTensor vector = operand(shape_of({7}), 4, true);
  vector.constant = true;
  TestTensor other = operand(shape, 5, true);
  other.batched = true;
  for (const BinaryFunction function :
       {BinaryFunction::Add, BinaryFunction::Div, BinaryFunction::PRelu}) {
    check_operator(options(function), {a, vector}, shape, expected_of(function, a, vector, shape));
    check_operator(options(function), {a, other}, shape, expected_of(function, a, other, shape));
  }
}

TEST_CASE("an operand with itself, and an activation behind") {
  TestTensor x = operand(shape_of({1, 33}), 6, false);
  format::UnaryT activation;
  activation.function = format::UnaryFunction::Tanh;
  std::vector<double> expected;
  for (const float value : x.values) expected.push_back(std::tanh(double{value} * value));
  check_operator(options(BinaryFunction::Mul), {x, x}, x.shape, expected, 1e-5, activation);
}

TEST_CASE("infinities, NaN, zeros and denormal numbers, portable") {
  const std::vector<float> special = {0.0F,  -0.0F,  1e-45F,    1.0F,       -2.5F,
                                      3e38F, -3e38F, kInfinity, -kInfinity, kNaN};
  const int count = static_cast<int>(special.size());
  const TestTensor column{.shape = shape_of({count, 1}), .values = special};
  const TestTensor row{.shape = shape_of({count}), .values = special};
  const Shape together = shape_of({count, count});
  for (const BinaryFunction function : kFunctions) {
    CAPTURE(format::EnumNameBinaryFunction(function));
    std::vector<double> expected = expected_of(function, column, row, together);
    for (double& value : expected) value = static_cast<double>(static_cast<float>(value));
    check_operator_on(Backend::kPortable, options(function), {column, row}, together, expected,
                      1e-6);
  }
}

TEST_CASE("integers wrap, divide toward zero, and never trap") {
  constexpr std::int32_t kLow = INT32_MIN;
  constexpr std::int32_t kHigh = INT32_MAX;
  using List = std::vector<std::int32_t>;
  CHECK(run_whole(BinaryFunction::Add, {1, kHigh, kLow, -5}, {2, 1, -1, 5}) ==
        List{3, kLow, kHigh, 0});
  CHECK(run_whole(BinaryFunction::Sub, {1, kLow, 0, 7}, {2, 1, kLow, 7}) ==
        List{-1, kHigh, kLow, 0});
  CHECK(run_whole(BinaryFunction::Mul, {-3, 65536, kLow, kHigh}, {4, 65536, -1, 2}) ==
        List{-12, 0, kLow, -2});
  CHECK(run_whole(BinaryFunction::Div, {7, -7, 7, 5, kLow, kLow, 0, kHigh},
                  {2, 2, -2, 0, -1, 1, 0, kLow}) == List{3, -3, -3, 0, kLow, kLow, 0, 0});
  CHECK(run_whole(BinaryFunction::Max, {1, -5, kLow}, {2, -6, kHigh}) == List{2, -5, kHigh});
  CHECK(run_whole(BinaryFunction::Min, {1, -5, kLow}, {2, -6, kHigh}) == List{1, -6, kLow});
  CHECK(run_whole(BinaryFunction::Remainder, {7, -7, 7, -7, 5, kLow, kLow, kHigh},
                  {3, 3, -3, -3, 0, -1, kHigh, kLow}) == List{1, -1, 1, -1, 0, 0, -1, kHigh});
  CHECK(run_whole(BinaryFunction::Modulo, {7, -7, 7, -7, 6, 5, kLow, kLow, kHigh},
                  {3, 3, -3, -3, 3, 0, -1, kHigh, kLow}) ==
        List{1, 2, -2, -1, 0, 0, 0, kHigh - 1, -1});
}

TEST_CASE("integers broadcast") {
  TestTensor a = whole({1, 2, 3, 4, 5, 6});
  a.shape = shape_of({2, 3});
  check_operator(options(BinaryFunction::Mul), {a, whole({10, 100, 1000})}, shape_of({2, 3}),
                 {10, 200, 3000, 40, 500, 6000});
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor a{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  const TestTensor b{.shape = shape_of({2}), .values = random_values(2, 8)};
  check_refused(options(static_cast<BinaryFunction>(10)), {a, a}, {}, "arithmetic function 10");
  check_refused(options(static_cast<BinaryFunction>(255)), {a, a}, {}, "arithmetic function 255");
  check_refused(options(BinaryFunction::Add), {a, b}, {}, "2x3 and 2 cannot be broadcast");
  check_refused(options(BinaryFunction::Add), {a, whole({1, 2, 3})}, {}, "must be float32");
  check_refused(options(BinaryFunction::Add), {whole({1, 2, 3}), b}, {}, "must be float32");
  check_refused(options(BinaryFunction::Pow), {whole({1, 2}), whole({1, 2})}, {},
                "Pow of integers");
  check_refused(options(BinaryFunction::PRelu), {whole({1, 2}), whole({1, 2})}, {},
                "PRelu of integers");
  check_refused(options(BinaryFunction::Add), {a}, {}, "1 inputs");
  check_refused(options(BinaryFunction::Add), {a, absent()}, {}, "lacks input 1");
  const TestTensor column{.shape = shape_of({70000, 1}), .values = std::vector<float>(70000)};
  const TestTensor row{.shape = shape_of({1, 70000}), .values = std::vector<float>(70000)};
  check_refused(options(BinaryFunction::Add), {column, row}, {}, "too large");
}
