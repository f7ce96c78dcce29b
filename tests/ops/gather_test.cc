// Parts chosen by index: embeddings, single entries, indices that do not exist.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/ops/operator_harness.h"
#include "tests/ops/reference.h"

using namespace figment;
using namespace figment::testing;

namespace {

format::OperatorOptionsUnion options(int axis) {
  format::GatherT table;
  table.axis = axis;
  return options_of(table);
}

TestTensor indices(const Shape& shape, std::vector<std::int32_t> values) {
  return {.shape = shape, .type = DataType::kInt32, .integers = std::move(values)};
}

void check_gather(const TestTensor& data, const TestTensor& chosen, int axis) {
  Shape shape;
  for (int before = 0; before < axis; ++before) shape[shape.rank++] = data.shape[before];
  for (int own = 0; own < chosen.shape.rank; ++own) shape[shape.rank++] = chosen.shape[own];
  for (int after = axis + 1; after < data.shape.rank; ++after)
    shape[shape.rank++] = data.shape[after];
  const std::size_t first = static_cast<std::size_t>(axis);
  const std::size_t rank = static_cast<std::size_t>(chosen.shape.rank);
  std::vector<double> expected;
  for_each_element(shape, [&](const Indices& at) {
    const Indices own(at.begin() + axis, at.begin() + axis + chosen.shape.rank);
    std::int32_t row = chosen.integers[position_of(chosen.shape, own)];
    if (row < 0) row += data.shape[axis];
    Indices from(at.begin(), at.begin() + axis);
    from.push_back(std::clamp(row, 0, data.shape[axis] - 1));
    for (std::size_t after = first + rank; after < at.size(); ++after) from.push_back(at[after]);
    const std::size_t position = position_of(data.shape, from);
    expected.push_back(data.type == DataType::kInt32 ? data.integers[position]
                                                     : double{data.values[position]});
  });
  check_operator(options(axis), {data, chosen}, shape, expected, 0);
}

}  // namespace

TEST_CASE("along every axis, with indices of any rank") {
  TestTensor data{.shape = shape_of({3, 4, 5}), .values = random_values(60, 1)};
  for (const bool constant : {false, true}) {
    data.constant = constant;
    for (int axis = 0; axis < 3; ++axis) {
      check_gather(data, indices(shape_of({}), {2}), axis);
      check_gather(data, indices(shape_of({4}), {2, 0, 1, 1}), axis);
      check_gather(data, indices(shape_of({2, 3}), {0, 1, 2, 2, 1, 0}), axis);
    }
  }
}

TEST_CASE("an embedding for a batch of 5 labels") {
  const TestTensor table{
      .shape = shape_of({10, 7}), .values = random_values(70, 2), .constant = true};
  TestTensor labels = indices(shape_of({5}), {9, 0, 3, 3, 7});
  labels.batched = true;
  check_gather(table, labels, 0);
}

TEST_CASE("indices count from the end when negative; what does not exist is clamped") {
  const TestTensor data{.shape = shape_of({4, 2}), .values = random_values(8, 3)};
  check_gather(data, indices(shape_of({8}), {-1, -4, -5, 3, 4, 100, INT32_MIN, INT32_MAX}), 0);
  check_gather(data, indices(shape_of({4}), {-1, -2, -3, 2}), 1);
}

TEST_CASE("integers and bytes") {
  check_gather({.shape = shape_of({3}), .type = DataType::kInt32, .integers = {16777217, 5, -6}},
               indices(shape_of({2}), {2, 0}), 0);
  check_gather(
      {.shape = shape_of({2, 3}), .values = {1, 2, 3, 4, 5, 255}, .type = DataType::kUInt8},
      indices(shape_of({2}), {2, 0}), 1);
}

TEST_CASE("what a damaged file may say is refused") {
  const TestTensor data{.shape = shape_of({2, 3}), .values = random_values(6, 7)};
  check_refused(options(2), {data, indices(shape_of({1}), {0})}, {}, "axis 2");
  check_refused(options(-1), {data, indices(shape_of({1}), {0})}, {}, "axis -1");
  check_refused(options(0), {data, data}, {}, "input 1 has the wrong type");
  check_refused(options(0), {data, indices(shape_of({1, 1, 1, 1, 1, 1, 1, 1}), {0})}, {},
                "number of the output's axes");
  check_refused(options(0), {{.shape = shape_of({}), .values = {1}}, indices(shape_of({1}), {0})},
                {}, "outside");
  check_refused(options(0), {data}, {}, "1 inputs");
}
