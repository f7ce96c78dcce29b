// Elementwise functions of two tensors that XNNPACK has.
#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {
namespace {

xnn_binary_operator choose(format::BinaryFunction function) {
  switch (function) {
    case format::BinaryFunction::Add:
      return xnn_binary_add;
    case format::BinaryFunction::Sub:
      return xnn_binary_subtract;
    case format::BinaryFunction::Mul:
      return xnn_binary_multiply;
    case format::BinaryFunction::Div:
      return xnn_binary_divide;
    case format::BinaryFunction::Max:
      return xnn_binary_maximum;
    case format::BinaryFunction::Min:
      return xnn_binary_minimum;
    case format::BinaryFunction::PRelu:
      return xnn_binary_prelu;
    default:  // XNNPACK calls the C library's powf for Pow, and has no other
      break;
  }
  return xnn_binary_invalid;
}

bool accepts(const Operation& operation) {
  return operation.in(0).type == DataType::kFloat32 &&
         operation.out().shape.rank <= XNN_MAX_TENSOR_DIMS &&
         choose(operation.as<format::Binary>().function()) != xnn_binary_invalid;
}

Status create(const Operation& operation, Build& build) {
  xnn_operator_t binary = nullptr;
  FIG_TRY(status_of_created(xnn_create_binary_elementwise_nd(
                                choose(operation.as<format::Binary>().function()),
                                xnn_datatype_fp32, nullptr, nullptr, nullptr, /*flags=*/0, &binary),
                            binary, "Binary"));
  build.state = binary;
  std::size_t shapes[2][XNN_MAX_TENSOR_DIMS];
  for (std::size_t i = 0; i < 2; ++i)
    for (int axis = 0; axis < operation.in(i).shape.rank; ++axis)
      shapes[i][axis] = extent(operation.in(i), axis);
  return status_of(
      xnn_reshape_binary_elementwise_nd(
          binary, static_cast<std::size_t>(operation.in(0).shape.rank), shapes[0],
          static_cast<std::size_t>(operation.in(1).shape.rank), shapes[1], operation.threads),
      "Binary");
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_binary_elementwise_nd(operator_in(state), operation.in(0).data,
                                         operation.in(1).data,
                                         operation.out().data) == xnn_status_success;
}

}  // namespace

extern const FastRoom kBinary;
const FastRoom kBinary{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
