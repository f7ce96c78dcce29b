// Dense layers: one matrix product.
#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) { return has_packable_weights(operation); }

Status create(const Operation& operation, Build& build) {
  const Tensor& weights = operation.in(1);  // [outputs, inputs]
  const std::size_t outputs = extent(weights, 0);
  auto* product = build.arena.allocate_array<MatrixProduct>(1);
  if (product == nullptr) return backend_error({"the arena is full"});
  build.state = product;
  build.lowering = "gemm";
  const Limits limits = fuse_limits(build);
  const float* wide = widen(weights, build.arena);
  if (wide == nullptr) return backend_error({"the arena is full"});
  const Status status = create_matrix_product({outputs, extent(weights, 1), outputs}, wide,
                                              bias_of(operation, 2), limits, build.arena, *product);
  build.arena.give_back();
  return status;
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

bool run(const Operation& operation, void* state) {
  const std::size_t rows =
      static_cast<std::size_t>(operation.out().elements()) / extent(operation.in(1), 0);
  return run_matrix_product(*static_cast<MatrixProduct*>(state), rows, operation.in(0).floats(),
                            operation.out().floats(), operation.threads);
}

}  // namespace

extern const FastRoom kDense;
const FastRoom kDense{accepts, create, bind, run};

}  // namespace figment::xnnpack
