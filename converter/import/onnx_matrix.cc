// Matrix products.
#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

TensorId multiplied(OnnxNode& node, TensorId x, float factor) {
  return factor == 1 ? x : node.binary(BinaryFunction::Mul, x, node.scalar(factor));
}

// True when `bias` broadcasts along the rows of [rows, outputs]: one number, or one an output.
bool is_row(const Shape& bias, int outputs) {
  return bias.elements() == 1 ||
         (bias.elements() == outputs && bias.rank >= 1 && bias[bias.rank - 1] == outputs);
}

// alpha * A * B + beta * C, A and B perhaps transposed; B is [inputs, outputs].
void gemm(OnnxNode& node) {
  const float alpha = node.number_attribute("alpha", 1);
  const float beta = node.number_attribute("beta", 1);
  TensorId a = node.input(0);
  TensorId b = node.input(1);
  if (node.rank(a) != 2 || node.rank(b) != 2)
    node.refuse("its factors have shapes " + describe(node.shape(a)) + " and " +
                describe(node.shape(b)) + ", but must be matrices");
  if (node.integer("transA", 0) != 0) a = node.transpose(a, {1, 0});
  const bool transposed = node.integer("transB", 0) != 0;
  TensorId c = node.optional_input(2);
  if (c != kAbsent) c = multiplied(node, c, beta);

  if (!node.constant(b)) {
    if (transposed) b = node.transpose(b, {1, 0});
    TensorId y = multiplied(node, node.emit(format::MatMulT{}, {a, b}), alpha);
    if (c != kAbsent) y = node.binary(BinaryFunction::Add, y, c);
    return node.set_output(0, y);
  }
  // Dense has its weights as [outputs, inputs].
  if (!transposed) b = node.transpose(b, {1, 0});
  b = multiplied(node, b, alpha);
  const int outputs = node.shape(b)[0];
  TensorId bias = kAbsent;
  if (c != kAbsent && node.constant(c) && is_row(node.shape(c), outputs)) {
    const std::int64_t given = node.shape(c).elements();
    bias = node.tile(node.reshape_to(c, {given}), make_shape({outputs}));
  }
  TensorId y = node.emit(format::DenseT{}, {a, b, bias});
  if (c != kAbsent && bias == kAbsent) y = node.binary(BinaryFunction::Add, y, c);
  node.set_output(0, y);
}

// As NumPy's matmul: operands of one axis are a row and a column, which the result does not have.
void mat_mul(OnnxNode& node) {
  TensorId a = node.input(0);
  TensorId b = node.input(1);
  const Shape a_shape = node.shape(a), b_shape = node.shape(b);
  if (a_shape.rank == 0 || b_shape.rank == 0)
    node.refuse("a factor is a scalar; the file is damaged");
  if (a_shape.rank == 1) a = node.reshape_to(a, {1, a_shape[0]});
  if (b_shape.rank == 1) b = node.reshape_to(b, {b_shape[0], 1});
  TensorId y = kAbsent;
  if (node.constant(b) && node.rank(b) == 2 && !node.constant(a)) {
    y = node.emit(format::DenseT{}, {a, node.transpose(b, {1, 0})});
  } else {
    y = node.emit(format::MatMulT{}, {a, b});
  }
  if (a_shape.rank == 1 || b_shape.rank == 1) {
    const Shape full = node.shape(y);
    std::vector<std::int64_t> kept;
    for (int axis = 0; axis < full.rank; ++axis) {
      const bool is_row = axis == full.rank - 2 && a_shape.rank == 1;
      const bool is_column = axis == full.rank - 1 && b_shape.rank == 1;
      if (!is_row && !is_column) kept.push_back(full[axis]);
    }
    y = node.reshape_to(y, kept);
  }
  node.set_output(0, y);
}

constexpr OnnxOperator kRows[] = {
    {"Gemm", gemm},
    {"MatMul", mat_mul},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxMatrix = kRows;

}  // namespace figment::converter
