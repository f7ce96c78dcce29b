// Dense on both backends against the definition in double precision, and its refusals.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/ops/operands.h"

namespace figment::testing {
namespace {

std::vector<double> reference(const TestTensor& x, const TestTensor& weights,
                              const TestTensor& bias) {
  const int outputs = weights.shape[0];
  const int inputs = weights.shape[1];
  std::vector<double> result;
  for (int row = 0; row < x.shape.elements() / inputs; ++row)
    for (int output = 0; output < outputs; ++output) {
      double sum = bias.values.empty() ? 0.0 : double{bias.values[output]};
      for (int i = 0; i < inputs; ++i)
        sum += double{x.values[row * inputs + i]} * double{weights.values[output * inputs + i]};
      result.push_back(sum);
    }
  return result;
}

void check_dense(const Shape& x_shape, int outputs, DataType type, bool with_bias) {
  CAPTURE(outputs);
  const int inputs = x_shape[x_shape.rank - 1];
  CAPTURE(inputs);
  const TestTensor x = batched_input(x_shape);
  const TestTensor weights = constant(shape_of({outputs, inputs}), 2, type);
  const TestTensor bias = with_bias ? constant(shape_of({outputs}), 3) : absent();
  Shape expected = x_shape;
  expected[expected.rank - 1] = outputs;
  const std::vector<double> values = reference(x, weights, bias);
  const format::OperatorOptionsUnion options = options_of(format::DenseT{});
  // XNNPACK adds the products one after another, on ARMv7 with a rounding of each product and of
  // each sum, here of numbers below 1: at most 2^-25 a rounding, of which some go up and some down.
  const double tolerance = std::max(1e-5, inputs * 0x1p-25);
  check_operator(options, {x, weights, bias}, expected, values, tolerance);
  check_operator(options, {x, weights, bias}, expected, leaky_relu_of(values), tolerance,
                 leaky_relu());
}

TEST_CASE("dense layers of awkward sizes") {
  for (int batch : {1, 5})
    for (int inputs : {1, 3, 7, 8, 17, 24})
      for (int outputs : {1, 3, 7, 24})
        for (DataType type : {DataType::kFloat32, DataType::kFloat16})
          check_dense(shape_of({batch, inputs}), outputs, type, outputs != 7);
}

TEST_CASE("dense layers as wide as real ones, and over inner axes") {
  check_dense(shape_of({1, 20}), 256, DataType::kFloat32, true);
  check_dense(shape_of({3, 256}), 784, DataType::kFloat16, true);
  check_dense(shape_of({5, 7, 13, 17}), 3, DataType::kFloat32, true);
  check_dense(shape_of({2, 5, 8}), 2, DataType::kFloat16, false);
}

// `weights` hold integers. On both backends the same bits.
void check_integers(int batch, const TestTensor& weights) {
  const format::OperatorOptionsUnion options = options_of(format::DenseT{});
  const int outputs = weights.shape[0];
  const int inputs = weights.shape[1];
  CAPTURE(batch);
  CAPTURE(inputs);
  CAPTURE(outputs);
  const TestTensor bias = outputs == 7 ? absent() : constant(shape_of({outputs}), 3);
  const TestTensor x = batched_input(shape_of({batch, inputs}));
  const TestTensor exact = black_and_white(x);
  check_operator(options, {exact, weights, bias}, shape_of({batch, outputs}),
                 leaky_relu_of(reference(exact, weights, bias)), 1e-5, leaky_relu());
  // Half a step of 2/255 in each product at most.
  check_operator(options, {x, weights, bias}, shape_of({batch, outputs}),
                 reference(x, weights, bias), inputs * 0.5 * 2 / 255);
  const Run portable = run_operator(options, {x, weights, bias}, {}, Backend::kPortable);
  const Run xnnpack = run_operator(options, {x, weights, bias}, {}, Backend::kXnnpack);
  CHECK(xnnpack.values == portable.values);
}

TEST_CASE("int8 weights, the same bits on both backends") {
  for (int batch : {1, 5, 130})
    for (int inputs : {1, 3, 8, 17, 24, 301})
      for (int outputs : {1, 7, 24})
        check_integers(batch, rows_as_int8(constant(shape_of({outputs, inputs})), outputs));
}

TEST_CASE("int8 weights that some loops do not bear lose two bits there at most") {
  for (int batch : {1, 5})
    for (int inputs : {3, 8, 17, 301}) {
      const TestTensor weights = rows_as_int8(constant(shape_of({24, inputs})), 24, 127);
      const TestTensor x = batched_input(shape_of({batch, inputs}));
      // Half a step of 2/255 and half a step of 1/31 in each product.
      check_ways({"gemm"}, options_of(format::DenseT{}), {x, weights, absent()},
                 shape_of({batch, 24}), reference(x, weights, absent()),
                 inputs * 0.5 * (2.0 / 255 + 1.0 / 31));
    }
}

TEST_CASE("int4 weights, the same bits on both backends") {
  for (int batch : {1, 5, 130})
    for (int inputs : {1, 2, 31, 32, 33, 65, 301})
      for (int outputs : {1, 7, 24})
        check_integers(batch, rows_as_int4(constant(shape_of({outputs, inputs}))));
  // Deeper than sums of int8 may be.
  check_integers(1, rows_as_int4(constant(shape_of({1, 65537}))));
}

TEST_CASE("int4 weights that are refused") {
  const format::OperatorOptionsUnion options = options_of(format::DenseT{});
  const TestTensor x = batched_input(shape_of({2, 7}));
  TestTensor weights = rows_as_int4(constant(shape_of({3, 7})));
  check_refused(options, {x, weights, rows_as_int4(constant(shape_of({3})))}, {},
                "input 2 must be float32");
  check_refused(options, {weights, constant(shape_of({5, 7}))}, {}, "input 0 must be float32");
  weights.scales.pop_back();
  check_refused(options, {x, weights}, {}, "bytes, which its shape does not");
  weights.scales.push_back(-1);
  check_refused(options, {x, weights}, {}, "a scale that is no positive number");
  TestTensor computed = fixed_input(shape_of({3, 7}));
  computed.type = DataType::kInt4;
  check_refused(options, {x, computed}, {}, "input 1 must be float32");
  check_refused(options, {x, rows_as_int4(constant(shape_of({3, 8})))}, {},
                "the last extents must agree");
}

TEST_CASE("int8 weights that are refused") {
  const format::OperatorOptionsUnion options = options_of(format::DenseT{});
  const TestTensor x = batched_input(shape_of({2, 7}));
  const TestTensor sound = rows_as_int8(constant(shape_of({3, 7})), 3);
  TestTensor weights = sound;
  weights.scales.push_back(1);
  check_refused(options, {x, weights}, {}, "input 1 is int8 and has 4 scales but must have 3");
  weights.scales.clear();
  check_refused(options, {x, weights}, {}, "has 0 scales");
  const TestTensor deep = batched_input(shape_of({1, 65537}));
  weights = rows_as_int8(constant(shape_of({1, 65537})), 1);
  check_refused(options, {deep, weights}, {}, "products over 65537 numbers, more than 65536");
  weights = rows_as_int8(constant(shape_of({2, 7})), 2);
  check_refused(options, {weights, sound}, {}, "input 0 must be float32");
  TestTensor computed = fixed_input(shape_of({3, 7}));
  computed.type = DataType::kInt8;
  check_refused(options, {x, computed}, {}, "input 1 must be float32");
  check_refused(options, {x, sound, rows_as_int8(constant(shape_of({3})), 3)}, {},
                "input 2 must be float32");
}

TEST_CASE("more rows than the matrix product takes at a time") {
  check_dense(shape_of({130, 1000}), 5, DataType::kFloat16, true);
}

TEST_CASE("a dense layer whose weights are computed") {
  const TestTensor x = fixed_input(shape_of({3, 7}));
  const TestTensor weights = fixed_input(shape_of({5, 7}), 2);
  check_operator(options_of(format::DenseT{}), {x, weights}, shape_of({3, 5}),
                 reference(x, weights, absent()));
}

TEST_CASE("dense layers that are refused") {
  const format::OperatorOptionsUnion options = options_of(format::DenseT{});
  const TestTensor x = batched_input(shape_of({2, 7}));
  const TestTensor weights = constant(shape_of({3, 7}));
  check_refused(options, {x, constant(shape_of({3, 8}))}, {}, "the last extents must agree");
  check_refused(options, {x, constant(shape_of({3, 7, 1}))}, {}, "must have 2 axes");
  check_refused(options, {fixed_input(shape_of({})), weights}, {}, "a scalar");
  check_refused(options, {x, weights, constant(shape_of({4}))}, {}, "must be a vector of 3");
  check_refused(options, {x, weights, constant(shape_of({3}), 1, DataType::kFloat16)}, {},
                "must be float32");
  check_refused(options, {constant(shape_of({2, 7}), 1, DataType::kFloat16), weights}, {},
                "input 0 must be float32");
  check_refused(options, {x}, {}, "2 to 3");
}

}  // namespace
}  // namespace figment::testing
