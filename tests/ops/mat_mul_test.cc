// MatMul on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

const format::OperatorOptionsUnion kOptions = options_of(format::MatMulT{});

// The output's shape by NumPy's rule.
Shape product_shape(const Shape& a, const Shape& b) {
  Shape shape;
  shape.rank = std::max(a.rank, b.rank);
  for (int axis = 0; axis < shape.rank; ++axis) {
    const int in_a = axis - (shape.rank - a.rank);
    const int in_b = axis - (shape.rank - b.rank);
    shape[axis] = std::max(in_a < 0 ? 1 : a[in_a], in_b < 0 ? 1 : b[in_b]);
  }
  shape[shape.rank - 2] = a[a.rank - 2];
  shape[shape.rank - 1] = b[b.rank - 1];
  return shape;
}

// Where the matrix of `operand` begins that belongs to the output's matrix with these leading
// places.
std::size_t matrix_start(const Shape& operand, const Shape& output,
                         const std::vector<int>& places) {
  std::size_t index = 0;
  for (int axis = 0; axis < operand.rank - 2; ++axis) {
    const int place = places[static_cast<std::size_t>(axis + output.rank - operand.rank)];
    index = index * operand[axis] + (operand[axis] == 1 ? 0 : place);
  }
  return index * operand[operand.rank - 2] * operand[operand.rank - 1];
}

std::vector<double> reference(const TestTensor& a, const TestTensor& b) {
  const Shape output = product_shape(a.shape, b.shape);
  const int rows = output[output.rank - 2];
  const int columns = output[output.rank - 1];
  const int depth = a.shape[a.shape.rank - 1];
  std::vector<double> result;
  for (std::int64_t matrix = 0; matrix < output.elements() / rows / columns; ++matrix) {
    std::vector<int> places(static_cast<std::size_t>(output.rank - 2));
    std::int64_t rest = matrix;
    for (int axis = output.rank - 3; axis >= 0; --axis) {
      places[static_cast<std::size_t>(axis)] = static_cast<int>(rest % output[axis]);
      rest /= output[axis];
    }
    const float* left = a.values.data() + matrix_start(a.shape, output, places);
    const float* right = b.values.data() + matrix_start(b.shape, output, places);
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        double sum = 0;
        for (int k = 0; k < depth; ++k)
          sum += double{left[row * depth + k]} * double{right[k * columns + column]};
        result.push_back(sum);
      }
  }
  return result;
}

void check_product(const TestTensor& a, const TestTensor& b) {
  CAPTURE(a.shape.elements());
  CAPTURE(b.shape.elements());
  const Shape shape = product_shape(a.shape, b.shape);
  check_operator(kOptions, {a, b}, shape, reference(a, b));
  check_operator(kOptions, {a, b}, shape, leaky_relu_of(reference(a, b)), 1e-5, leaky_relu());
}

TEST_CASE("matrix products of awkward sizes with a constant") {
  for (int rows : {1, 5})
    for (int depth : {1, 7, 8, 17})
      for (int columns : {1, 3, 16, 24, 33})
        for (DataType type : {DataType::kFloat32, DataType::kFloat16})
          check_product(batched_input(shape_of({rows, depth})),
                        constant(shape_of({depth, columns}), 2, type));
}

TEST_CASE("a constant on the left") {
  for (DataType type : {DataType::kFloat32, DataType::kFloat16})
    check_product(constant(shape_of({13, 7}), 2, type), fixed_input(shape_of({7, 5})));
}

TEST_CASE("two computed matrices, as in attention") {
  check_product(batched_input(shape_of({5, 3, 7, 17})), batched_input(shape_of({5, 3, 17, 13}), 2));
  check_product(fixed_input(shape_of({7, 17})), fixed_input(shape_of({17, 5}), 2));
}

TEST_CASE("leading axes that broadcast") {
  check_product(batched_input(shape_of({5, 1, 3, 7})), constant(shape_of({4, 7, 2})));
  check_product(batched_input(shape_of({2, 3, 4, 7})), constant(shape_of({7, 5})));
  check_product(batched_input(shape_of({2, 3, 4, 7})), constant(shape_of({1, 3, 7, 5})));
  check_product(fixed_input(shape_of({3, 1, 2, 7})), fixed_input(shape_of({1, 4, 7, 2}), 2));
  check_product(constant(shape_of({5, 7})), fixed_input(shape_of({3, 7, 2})));
}

TEST_CASE("matrix products that are refused") {
  const TestTensor a = batched_input(shape_of({2, 3, 7}));
  check_refused(kOptions, {a, constant(shape_of({8, 3}))}, {}, "the inner extents differ");
  check_refused(kOptions, {a, constant(shape_of({7}))}, {}, "at least two axes");
  check_refused(kOptions, {fixed_input(shape_of({7})), constant(shape_of({7, 2}))}, {},
                "at least two axes");
  check_refused(kOptions, {fixed_input(shape_of({2, 3, 7})), constant(shape_of({3, 7, 2}))}, {},
                "do not broadcast");
  TestTensor halves = fixed_input(shape_of({7, 3}));
  halves.type = DataType::kFloat16;
  check_refused(kOptions, {a, halves}, {}, "must be float32");
}

}  // namespace
}  // namespace figment::testing
