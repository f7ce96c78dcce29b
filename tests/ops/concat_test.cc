// Tensors one behind the other along every axis.
#include <doctest/doctest.h>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(int axis) {
  format::ConcatT table;
  table.axis = axis;
  return options_of(table);
}

void check_concat(const std::vector<TestTensor>& inputs, int axis) {
  Shape shape = inputs[0].shape;
  shape[axis] = 0;
  for (const TestTensor& x : inputs) shape[axis] += x.shape[axis];
  std::vector<double> expected;
  for_each_element(shape, [&](Indices at) {
    std::int32_t& along = at[static_cast<std::size_t>(axis)];
    for (const TestTensor& x : inputs) {
      if (along < x.shape[axis]) {
        const std::size_t position = position_of(x.shape, at);
        expected.push_back(x.type == DataType::kInt32 ? x.integers[position]
                                                      : double{x.values[position]});
        return;
      }
      along -= x.shape[axis];
    }
  });
  check_operator(options(axis), inputs, shape, expected, 0);
}

TestTensor numbers(const Shape& shape, std::uint32_t seed) {
  return {.shape = shape, .values = random_values(shape.elements(), seed)};
}

}  // namespace

TEST_CASE("along every axis, of different extents") {
  for (int axis = 0; axis < 4; ++axis) {
    std::vector<TestTensor> inputs;
    for (const int extent : {3, 1, 5}) {
      Shape shape = shape_of({2, 3, 4, 5});
      shape[axis] = extent;
      inputs.push_back(numbers(shape, static_cast<std::uint32_t>(extent)));
    }
    check_concat(inputs, axis);
    inputs[1].constant = true;
    check_concat(inputs, axis);
  }
}

TEST_CASE("batch 5, one input, the same input twice, and as many as there may be") {
  TestTensor a = numbers(shape_of({5, 3, 7}), 1);
  TestTensor b = numbers(shape_of({5, 3, 2}), 2);
  a.batched = b.batched = true;
  check_concat({a, b}, 2);
  check_concat({a}, 1);
  check_concat({a, a}, 1);
  std::vector<TestTensor> many;
  for (std::uint32_t i = 0; i < 64; ++i) many.push_back(numbers(shape_of({3, 2}), i));
  check_concat(many, 0);
  check_concat(many, 1);
}

TEST_CASE("integers and bytes") {
  TestTensor a{.shape = shape_of({2, 1}), .type = DataType::kInt32, .integers = {1, -2}};
  TestTensor b{
      .shape = shape_of({2, 2}), .type = DataType::kInt32, .integers = {16777217, 4, 5, 6}};
  check_concat({a, b}, 1);
  TestTensor bytes{.shape = shape_of({3}), .values = {1, 2, 255}, .type = DataType::kUInt8};
  check_concat({bytes, bytes}, 0);
  TestTensor small{.shape = shape_of({3}),
                   .values = {1, -128, 127},
                   .type = DataType::kInt8,
                   .integers = {1, -128, 127}};
  check_concat({small, small}, 0);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor a = numbers(shape_of({2, 3}), 1);
  check_refused(options(2), {a, a}, {}, "axis 2");
  check_refused(options(-1), {a, a}, {}, "axis -1");
  check_refused(options(0), {a, numbers(shape_of({2, 4}), 1)}, {}, "input 1 has shape 2x4");
  check_refused(options(1), {a, numbers(shape_of({2, 3, 1}), 1)}, {}, "input 1 has shape 2x3x1");
  check_refused(
      options(0),
      {a, {.shape = shape_of({2, 3}), .type = DataType::kInt32, .integers = {1, 2, 3, 4, 5, 6}}},
      {}, "input 1 has the wrong type");
  check_refused(options(0), {a, absent()}, {}, "input 1 of the concatenation is absent");
  check_refused(options(0), {}, {}, "0 inputs");
}
