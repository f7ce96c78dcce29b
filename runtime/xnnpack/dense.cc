// Dense layers: one matrix product.
#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/matrix_product.h"

namespace figment::xnnpack {
namespace {

std::size_t row_count(const Operation& operation) {
  return static_cast<std::size_t>(operation.out().elements()) / extent(operation.in(1), 0);
}

Status create(const Operation& operation, Build& build) {
  const Tensor& weights = operation.in(1);  // [outputs, inputs]
  const std::size_t outputs = extent(weights, 0);
  auto* product = build.arena.allocate_array<MatrixProduct>(1);
  if (product == nullptr) return backend_error({"the arena is full"});
  build.state = product;
  const Limits limits = fuse_limits(build);
  const MatrixWeights matrix = matrix_weights(weights, weights.shape[0], build);
  if (!matrix.ok()) return backend_error({"the arena is full"});
  const Status status = create_matrix_product({outputs, extent(weights, 1), outputs}, matrix,
                                              bias_of(operation, 2), limits, build, *product);
  build.arena.give_back();
  FIG_TRY(status);
  build.lowering = "gemm";
  build.scratch_bytes = rows_bytes(*product, row_count(operation));
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

bool run(const Operation& operation, void* state) {
  const MatrixProduct& product = *static_cast<MatrixProduct*>(state);
  const std::size_t rows = row_count(operation);
  const MatrixRows x =
      prepare_rows(product, rows, operation.in(0).floats(), operation.scratch, operation.threads);
  return run_matrix_product(product, rows, x, operation.out().floats(), operation.threads);
}

}  // namespace

extern const FastRoom kDense;
const FastRoom kDense{has_packable_weights, create, bind, run};

}  // namespace figment::xnnpack
