// Means and sums over axes.
#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) {
  const auto& options = operation.as<format::Reduce>();
  const bool has_kernel = options.function() == format::ReduceFunction::Mean ||
                          options.function() == format::ReduceFunction::Sum;
  return has_kernel && operation.in(0).type == DataType::kFloat32 &&
         operation.in(0).shape.rank <= XNN_MAX_TENSOR_DIMS && options.axes() != nullptr &&
         options.axes()->size() > 0;
}

Status create(const Operation& operation, Build& build) {
  const auto& options = operation.as<format::Reduce>();
  const xnn_reduce_operator function =
      options.function() == format::ReduceFunction::Mean ? xnn_reduce_mean : xnn_reduce_sum;
  xnn_operator_t reduce = nullptr;
  // Whether axes of 1 are kept is a matter of the output's shape alone.
  FIG_TRY(status_of_created(xnn_create_reduce_nd(function, xnn_datatype_fp32, nullptr, nullptr,
                                                 XNN_FLAG_KEEP_DIMS, &reduce),
                            reduce, "Reduce"));
  build.state = reduce;
  const int rank = operation.in(0).shape.rank;
  std::int64_t axes[XNN_MAX_TENSOR_DIMS];
  std::size_t shape[XNN_MAX_TENSOR_DIMS];
  std::size_t count = 0;
  for (int axis = 0; axis < rank; ++axis) {
    shape[axis] = extent(operation.in(0), axis);
    for (const std::int32_t reduced : *options.axes())
      if (reduced == axis) axes[count++] = axis;  // in rising order, as XNNPACK wants them
  }
  // A workspace is for types that are added up in another one; given one for float32, XNNPACK calls
  // a conversion that it does not have.
  return status_of(xnn_reshape_reduce_nd(reduce, count, axes, static_cast<std::size_t>(rank), shape,
                                         nullptr, nullptr, operation.threads),
                   "Reduce");
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_reduce_nd(operator_in(state), /*workspace=*/nullptr, operation.in(0).data,
                             operation.out().data) == xnn_status_success;
}

}  // namespace

extern const FastRoom kReduce;
const FastRoom kReduce{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
