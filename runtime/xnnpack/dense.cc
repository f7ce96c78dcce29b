// Dense layers on XNNPACK's fully-connected operator.
#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) {
  return operation.in(1).constant && (!operation.has(2) || operation.in(2).constant);
}

Status create(const Operation& operation, Build& build) {
  const Tensor& weights = operation.in(1);  // [outputs, inputs]
  const Limits limits = fuse_limits(build);
  const std::size_t outputs = extent(weights, 0);
  xnn_operator_t product = nullptr;
  FIG_TRY(
      create_matrix_product({.weights = weights, .outputs = outputs, .inputs = extent(weights, 1)},
                            bias_of(operation, 2), limits, build.arena, product));
  build.state = product;
  build.lowering = "xnnpack gemm";
  const std::size_t rows = static_cast<std::size_t>(operation.out().elements()) / outputs;
  return status_of(xnn_reshape_fully_connected_nc_f32(product, rows, operation.threads), "Dense");
}

bool bind(const Operation& operation, void* state) {
  return xnn_setup_fully_connected_nc_f32(operator_in(state), operation.in(0).floats(),
                                          operation.out().floats()) == xnn_status_success;
}

}  // namespace

extern const FastRoom kDense;
const FastRoom kDense{accepts, create, bind, run_operator};

}  // namespace figment::xnnpack
