// MatMul: a [..., M, K], b [..., K, N] -> [..., M, N]; leading axes broadcast as in NumPy.
#include <algorithm>

#include "runtime/math/gemm.h"
#include "runtime/math/half.h"
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

enum Operand { kA, kB };

// Columns of b that are turned at a time: a panel of [columns, K] in scratch, so that the product
// is the one that the other operators use, whole rows against whole rows.
constexpr int kPanelColumns = 16;
// Rows of a constant float16 `a` that are widened at a time.
constexpr int kWidenedRows = 8;

// Extent of a leading axis, counted from the last one (0) outwards; missing axes count as 1.
int leading_extent(const Shape& shape, int from_last) {
  const int axis = shape.rank - 3 - from_last;
  return axis < 0 ? 1 : shape[axis];
}

std::int64_t inner_extent(const Operation& operation) {
  const Shape& a = operation.in(kA).shape;
  return a[a.rank - 1];
}

std::int64_t scratch_size(const Operation& operation) {
  const int rows = kPanelColumns + (operation.in(kA).type == DataType::kFloat16 ? kWidenedRows : 0);
  return rows * inner_extent(operation) * std::int64_t{sizeof(float)};
}

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, kA, true));
  FIG_TRY(require_float(operation, kB, true));
  const Shape& a = operation.in(kA).shape;
  const Shape& b = operation.in(kB).shape;
  if (a.rank < 2 || b.rank < 2)
    return bad_file({"the inputs have shapes ", a, " and ", b, " but need at least two axes"});
  if (a[a.rank - 1] != b[b.rank - 2])
    return bad_file({"shapes ", a, " and ", b, " cannot be multiplied: the inner extents differ"});
  Shape output;
  output.rank = std::max(a.rank, b.rank);
  for (int i = 0; i < output.rank - 2; ++i) {
    const int of_a = leading_extent(a, i);
    const int of_b = leading_extent(b, i);
    if (of_a != of_b && of_a != 1 && of_b != 1)
      return bad_file({"shapes ", a, " and ", b, " do not broadcast"});
    output[output.rank - 3 - i] = std::max(of_a, of_b);
  }
  FIG_TRY(require_scratch(scratch_size(operation)));
  output[output.rank - 2] = a[a.rank - 2];
  output[output.rank - 1] = b[b.rank - 1];
  return set_result(result, DataType::kFloat32, output);
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(scratch_size(operation));
}

// Which of the matrices of `operand` belongs to matrix `index` of the output.
std::int64_t matrix_of(const Shape& operand, const Shape& output, std::int64_t index) {
  std::int64_t matrix = 0;
  std::int64_t stride = 1;
  for (int i = 0; i < output.rank - 2; ++i) {
    const int extent = leading_extent(output, i);
    const int own = leading_extent(operand, i);
    if (own != 1) matrix += index % extent * stride;
    stride *= own;
    index /= extent;
  }
  return matrix;
}

// Writes `columns` columns of the matrix [depth, n] that begins at element `first` as rows of
// panel.
void turn_columns(const Tensor& b, std::int64_t first, std::int64_t depth, std::int64_t n,
                  std::int64_t columns, float* panel) {
  for (std::int64_t k = 0; k < depth; ++k) {
    float widened[kPanelColumns];
    const float* row = math::as_floats(b, first + k * n, columns, widened);
    for (std::int64_t column = 0; column < columns; ++column)
      panel[column * depth + k] = row[column];
  }
}

void forward(const Operation& operation) {
  const Tensor& a = operation.in(kA);
  const Tensor& b = operation.in(kB);
  const Tensor& output = operation.out();
  const std::int64_t depth = inner_extent(operation);
  const std::int64_t n = output.shape[output.shape.rank - 1];
  std::int64_t rows = output.shape[output.shape.rank - 2];
  std::int64_t matrices = output.elements() / (rows * n);
  if (b.elements() == depth * n) {
    // One b for all: the leading axes of a are more rows.
    rows *= matrices;
    matrices = 1;
  }
  float* panel = reinterpret_cast<float*>(operation.scratch);
  float* widened = panel + kPanelColumns * depth;
  const std::int64_t rows_at_once = a.type == DataType::kFloat16 ? kWidenedRows : rows;

  math::Gemm product;
  product.depth = depth;
  product.a_stride = depth;
  product.b.data = panel;
  product.c_stride = n;
  for (std::int64_t matrix = 0; matrix < matrices; ++matrix) {
    const std::int64_t a_first = matrix_of(a.shape, output.shape, matrix) * rows * depth;
    const std::int64_t b_first = matrix_of(b.shape, output.shape, matrix) * depth * n;
    float* c = output.floats() + matrix * rows * n;
    for (std::int64_t column = 0; column < n; column += kPanelColumns) {
      product.columns = std::min<std::int64_t>(kPanelColumns, n - column);
      turn_columns(b, b_first + column, depth, n, product.columns, panel);
      for (std::int64_t row = 0; row < rows; row += rows_at_once) {
        product.rows = std::min(rows_at_once, rows - row);
        product.a = math::as_floats(a, a_first + row * depth, product.rows * depth, widened);
        product.c = c + row * n + column;
        math::gemm(product, nullptr);
      }
    }
  }
}

double multiply_adds(const Operation& operation) {
  return static_cast<double>(operation.out().elements()) *
         static_cast<double>(inner_extent(operation));
}

}  // namespace

extern const OperatorRoom kMatMul;
const OperatorRoom kMatMul{2, 2, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
