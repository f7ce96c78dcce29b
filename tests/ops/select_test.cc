// Numbers taken from one of two tensors: every way to broadcast, both types, and what is refused.
#include <doctest/doctest.h>

#include <limits>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options() { return options_of(format::SelectT{}); }

TestTensor floats(const Shape& shape, std::uint32_t seed) {
  return {.shape = shape, .values = random_values(shape.elements(), seed)};
}

// 0, and numbers that all mean true.
TestTensor condition(const Shape& shape) {
  TestTensor tensor{.shape = shape, .type = DataType::kInt32};
  for (const float value : random_values(shape.elements(), 9))
    tensor.integers.push_back(value < 0 ? 0 : value < 0.5F ? 1 : INT32_MIN);
  return tensor;
}

template <typename Values>
std::vector<double> expected_of(const TestTensor& choice, const TestTensor& a, const TestTensor& b,
                                const Shape& together, Values TestTensor::*values) {
  std::vector<double> expected;
  for_each_element(together, [&](const Indices& at) {
    const bool first = choice.integers[broadcast_position(choice.shape, at)] != 0;
    const TestTensor& chosen = first ? a : b;
    expected.push_back(double((chosen.*values)[broadcast_position(chosen.shape, at)]));
  });
  return expected;
}

void check(const TestTensor& choice, const TestTensor& a, const TestTensor& b,
           const Shape& together) {
  check_operator(options(), {choice, a, b}, together,
                 expected_of(choice, a, b, together, &TestTensor::values), 0);
}

}  // namespace

TEST_CASE("every way to broadcast") {
  struct Shapes {
    Shape condition, a, b, together;
  };
  const Shapes all[] = {
      {shape_of({3, 5, 7}), shape_of({3, 5, 7}), shape_of({3, 5, 7}), shape_of({3, 5, 7})},
      {shape_of({5, 7}), shape_of({3, 1, 7}), shape_of({}), shape_of({3, 5, 7})},
      {shape_of({}), shape_of({3, 1}), shape_of({1, 37}), shape_of({3, 37})},
      {shape_of({3, 5, 1}), shape_of({}), shape_of({1}), shape_of({3, 5, 1})},
      {shape_of({2, 1, 3, 1, 2}), shape_of({4, 1, 5, 1}), shape_of({2, 1, 1, 1, 2}),
       shape_of({2, 4, 3, 5, 2})},
      {shape_of({2, 1, 2, 1, 2, 1, 2, 1}), shape_of({1, 2, 1, 2, 1, 2, 1, 2}),
       shape_of({2, 2, 1, 1, 2, 2, 1, 1}), shape_of({2, 2, 2, 2, 2, 2, 2, 2})},
      {shape_of({}), shape_of({}), shape_of({}), shape_of({})},
  };
  for (const Shapes& shapes : all) {
    CAPTURE(shapes.condition.rank);
    const TestTensor choice = condition(shapes.condition);
    const TestTensor a = floats(shapes.a, 1);
    TestTensor b = floats(shapes.b, 2);
    check(choice, a, b, shapes.together);
    b.constant = true;
    check(choice, a, b, shapes.together);
  }
}

TEST_CASE("a batch of 5, a mask for all of it and one for each") {
  const Shape shape = shape_of({5, 3, 7});
  TestTensor x = floats(shape, 3);
  x.batched = true;
  TestTensor mask = condition(shape_of({3, 7}));
  mask.constant = true;
  TestTensor zero = floats(shape_of({}), 4);
  zero.constant = true;
  check(mask, x, zero, shape);
  TestTensor each = condition(shape);
  each.batched = true;
  check(each, x, zero, shape);
  check(each, zero, x, shape);
}

TEST_CASE("whole numbers, infinities and NaN move as they are") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TestTensor choice{.shape = shape_of({3}), .type = DataType::kInt32, .integers = {1, 0, -1}};
  check(choice, {.shape = shape_of({3}), .values = {nan, 1, -infinity}},
        {.shape = shape_of({3}), .values = {2, infinity, nan}}, shape_of({3}));
  const TestTensor a{
      .shape = shape_of({3}), .type = DataType::kInt32, .integers = {16777217, 5, INT32_MIN}};
  const TestTensor b{.shape = shape_of({1}), .type = DataType::kInt32, .integers = {INT32_MAX}};
  check_operator(options(), {choice, a, b}, shape_of({3}),
                 expected_of(choice, a, b, shape_of({3}), &TestTensor::integers), 0);
  // The condition may be what is taken.
  check_operator(options(), {choice, choice, b}, shape_of({3}),
                 expected_of(choice, choice, b, shape_of({3}), &TestTensor::integers), 0);
}

TEST_CASE("an activation behind") {
  format::UnaryT relu;
  relu.function = format::UnaryFunction::Relu;
  const TestTensor choice{.shape = shape_of({2}), .type = DataType::kInt32, .integers = {1, 0}};
  check_operator(options(),
                 {choice,
                  {.shape = shape_of({2}), .values = {-3, 1}},
                  {.shape = shape_of({2}), .values = {2, 4}}},
                 shape_of({2}), {0, 4}, 0, relu);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor a = floats(shape_of({2, 3}), 7);
  const TestTensor whole{.shape = shape_of({3}), .type = DataType::kInt32, .integers = {1, 2, 3}};
  const TestTensor bytes{.shape = shape_of({3}), .values = {1, 2, 3}, .type = DataType::kUInt8};
  check_refused(options(), {a, a, a}, {}, "input 0 has the wrong type");
  check_refused(options(), {whole, a, whole}, {}, "input 2 has the wrong type");
  check_refused(options(), {whole, whole, a}, {}, "input 2 has the wrong type");
  check_refused(options(), {whole, bytes, bytes}, {}, "input 1 must be float32");
  check_refused(options(), {condition(shape_of({4})), a, a}, {}, "cannot be broadcast");
  check_refused(options(), {whole, a, floats(shape_of({4}), 1)}, {}, "cannot be broadcast");
  check_refused(options(), {whole, a}, {}, "2 inputs");
  check_refused(options(), {whole, absent(), a}, {}, "lacks input 1");
}
