// Dense layers on XNNPACK's fully-connected operator.
#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) {
  return packable(operation.in(1)) && (!operation.has(2) || operation.in(2).constant);
}

Status create(const Operation& operation, Build& build) {
  const Tensor& weights = operation.in(1);  // [outputs, inputs]
  const std::size_t outputs = extent(weights, 0);
  build.lowering = "xnnpack gemm";
  const Limits limits = fuse_limits(build);
  const float* wide = widen(weights, build.arena);
  if (wide == nullptr) return backend_error({"the arena is full"});
  xnn_operator_t product = nullptr;
  const Status status = create_matrix_product({outputs, extent(weights, 1), outputs}, wide,
                                              bias_of(operation, 2), limits, product);
  build.arena.give_back();
  FIG_TRY(status);
  build.state = product;
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
