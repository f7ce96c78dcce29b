// Numbers chosen each by an index of its own: every axis, indices that do not exist.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(int axis) {
  format::GatherElementsT table;
  table.axis = axis;
  return options_of(table);
}

TestTensor indices(const Shape& shape, std::vector<std::int32_t> values) {
  return {.shape = shape, .type = DataType::kInt32, .integers = std::move(values)};
}

// Indices from -extent to extent-1, all of them.
TestTensor some_indices(const Shape& shape, int extent) {
  std::vector<std::int32_t> values;
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    values.push_back(static_cast<std::int32_t>(i * 7 % (2 * extent)) - extent);
  return indices(shape, std::move(values));
}

void check(const TestTensor& data, const TestTensor& chosen, int axis) {
  CAPTURE(axis);
  std::vector<double> expected;
  for_each_element(chosen.shape, [&](Indices at) {
    std::int32_t index = chosen.integers[position_of(chosen.shape, at)];
    if (index < 0) index += data.shape[axis];
    at[static_cast<std::size_t>(axis)] = std::clamp(index, 0, data.shape[axis] - 1);
    const std::size_t position = position_of(data.shape, at);
    expected.push_back(data.type == DataType::kInt32 ? data.integers[position]
                                                     : double{data.values[position]});
  });
  check_operator(options(axis), {data, chosen}, chosen.shape, expected, 0);
}

}  // namespace

TEST_CASE("along every axis, as many indices as data, fewer, and more") {
  TestTensor data{.shape = shape_of({3, 4, 5}), .values = random_values(60, 1)};
  for (const bool constant : {false, true}) {
    data.constant = constant;
    for (int axis = 0; axis < 3; ++axis) {
      const int extent = data.shape[axis];
      check(data, some_indices(data.shape, extent), axis);
      check(data, some_indices(shape_of({2, 3, 1}), extent), axis);
      Shape longer = shape_of({2, 2, 2});
      longer[axis] = 67;
      check(data, some_indices(longer, extent), axis);
    }
  }
  check({.shape = shape_of({7}), .values = random_values(7, 2)}, some_indices(shape_of({5}), 7), 0);
}

TEST_CASE("a batch of 5") {
  TestTensor data{.shape = shape_of({5, 4, 3}), .values = random_values(60, 3), .batched = true};
  TestTensor chosen = some_indices(shape_of({5, 2, 3}), 4);
  chosen.batched = true;
  check(data, chosen, 1);
}

TEST_CASE("what does not exist is clamped") {
  const TestTensor data{.shape = shape_of({4, 2}), .values = random_values(8, 3)};
  check(data, indices(shape_of({4, 2}), {-1, -4, -5, 3, 4, 100, INT32_MIN, INT32_MAX}), 0);
}

TEST_CASE("integers and bytes") {
  check({.shape = shape_of({3}), .type = DataType::kInt32, .integers = {16777217, 5, -6}},
        indices(shape_of({2}), {2, 0}), 0);
  check({.shape = shape_of({2, 3}), .values = {1, 2, 3, 4, 5, 255}, .type = DataType::kUInt8},
        indices(shape_of({2, 1}), {2, 0}), 1);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor data{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  const TestTensor good = indices(shape_of({1, 1}), {0});
  check_refused(options(2), {data, good}, {}, "axis 2");
  check_refused(options(-1), {data, good}, {}, "axis -1");
  check_refused(options(0), {data, data}, {}, "input 1 has the wrong type");
  check_refused(options(0), {data, indices(shape_of({1}), {0})}, {}, "must have 2 axes");
  check_refused(options(0), {data, indices(shape_of({1, 4}), {0, 0, 0, 0})}, {}, "do not fit");
  check_refused(options(0), {{.shape = shape_of({}), .values = {1}}, indices(shape_of({}), {0})},
                {}, "outside");
  check_refused(options(0), {data}, {}, "1 inputs");
}
