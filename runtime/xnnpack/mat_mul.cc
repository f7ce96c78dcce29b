// Products of two matrices that are both computed, or of which one is a constant float32.
#include "runtime/xnnpack/with_workspace.h"

namespace figment::xnnpack {
namespace {

constexpr int kMatrixAxes = 2;

bool accepts(const Operation& operation) {
  const Tensor& a = operation.in(0);
  const Tensor& b = operation.in(1);
  return a.type == DataType::kFloat32 && b.type == DataType::kFloat32 &&
         operation.out().shape.rank <= XNN_MAX_TENSOR_DIMS;
}

Status create(const Operation& operation, Build& build) {
  xnn_operator_t product = nullptr;
  FIG_TRY(status_of_created(xnn_create_batch_matrix_multiply_nc_f32(/*flags=*/0, &product), product,
                            "MatMul"));
  build.state = product;
  // XNNPACK wants as many leading axes of one as of the other; missing ones are 1.
  const int rank = operation.out().shape.rank;
  const std::size_t leading = static_cast<std::size_t>(rank - kMatrixAxes);
  std::size_t shapes[2][XNN_MAX_TENSOR_DIMS];
  for (std::size_t i = 0; i < 2; ++i) {
    const int missing = rank - operation.in(i).shape.rank;
    for (int axis = 0; axis < rank; ++axis)
      shapes[i][axis] = axis < missing ? 1 : extent(operation.in(i), axis - missing);
  }
  std::size_t bytes = 0;
  std::size_t alignment = 0;
  FIG_TRY(status_of(
      xnn_reshape_batch_matrix_multiply_nc_f32(
          product, leading, shapes[0], shapes[1], shapes[0][rank - 2], shapes[0][rank - 1],
          shapes[1][rank - 1], &bytes, &alignment, operation.threads),
      "MatMul"));
  return take_workspace(bytes, alignment, build);
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_batch_matrix_multiply_nc_f32(operator_in(state), operation.scratch,
                                                operation.in(0).floats(), operation.in(1).floats(),
                                                operation.out().floats()) == xnn_status_success;
}

}  // namespace

extern const FastRoom kMatMul;
const FastRoom kMatMul{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
