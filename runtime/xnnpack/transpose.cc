// Transposes of up to six axes.
#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) {
  const Tensor& input = operation.in(0);
  return (input.type == DataType::kFloat32 || input.type == DataType::kInt32) &&
         input.shape.rank > 0 && input.shape.rank <= XNN_MAX_TENSOR_DIMS;
}

Status create(const Operation& operation, Build& build) {
  xnn_operator_t transpose = nullptr;
  FIG_TRY(status_of_created(xnn_create_transpose_nd_x32(/*flags=*/0, &transpose), transpose,
                            "Transpose"));
  build.state = transpose;
  std::size_t shape[XNN_MAX_TENSOR_DIMS];
  std::size_t permutation[XNN_MAX_TENSOR_DIMS];
  const int rank = operation.in(0).shape.rank;
  for (int axis = 0; axis < rank; ++axis) {
    shape[axis] = extent(operation.in(0), axis);
    permutation[axis] =
        static_cast<std::size_t>(operation.as<format::Transpose>().permutation()->Get(
            static_cast<flatbuffers::uoffset_t>(axis)));
  }
  return status_of(xnn_reshape_transpose_nd_x32(transpose, static_cast<std::size_t>(rank), shape,
                                                permutation, operation.threads),
                   "Transpose");
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_transpose_nd_x32(operator_in(state), operation.in(0).data,
                                    operation.out().data) == xnn_status_success;
}

}  // namespace

extern const FastRoom kTranspose;
const FastRoom kTranspose{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
