// A transposed convolution of one input pixel whose output is the kernel's size: a dense layer.
#include <algorithm>

#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/matrix_product.h"
#include "runtime/xnnpack/ways.h"

namespace figment::xnnpack {
namespace {

bool accepts(const Operation& operation) {
  if (!has_packable_weights(operation)) return false;
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const Shape& weights = operation.in(1).shape;
  return options.groups() == 1 && in[1] == 1 && in[2] == 1 && out[1] == weights[1] &&
         out[2] == weights[2] && options.pad_top() == 0 && options.pad_left() == 0 &&
         options.dilation_height() == 1 && options.dilation_width() == 1;
}

Status create(const Operation& operation, Build& build) {
  auto* product = build.arena.allocate_array<MatrixProduct>(1);
  if (product == nullptr) return backend_error({"the arena is full"});
  build.state = product;
  const Shape& weights =
      operation.in(1).shape;  // [1, kernel_height, kernel_width, outputs, inputs]
  const std::size_t taps =
      static_cast<std::size_t>(weights[1]) * static_cast<std::size_t>(weights[2]);
  const std::size_t channels = extent(operation.in(1), 3);
  const Limits limits = fuse_limits(build);
  // The product has a bias an output of its own: the channel's, once for every tap.
  float* bias = nullptr;
  if (operation.has(2)) {
    bias = build.arena.allocate_array<float>(taps * channels);
    if (bias == nullptr) return backend_error({"the arena is full"});
    for (std::size_t tap = 0; tap < taps; ++tap)
      std::copy_n(operation.in(2).floats(), channels, bias + tap * channels);
  }
  const MatrixWeights matrix = matrix_weights(operation.in(1), operation.in(1).shape[3], build);
  if (!matrix.ok()) return backend_error({"the arena is full"});
  const Status status =
      create_matrix_product({taps * channels, extent(operation.in(1), 4), taps * channels}, matrix,
                            bias, limits, build, *product);
  build.arena.give_back();
  FIG_TRY(status);
  build.scratch_bytes = rows_bytes(*product, extent(operation.in(0), 0));
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

bool run(const Operation& operation, void* state) {
  const MatrixProduct& product = *static_cast<MatrixProduct*>(state);
  const std::size_t rows = extent(operation.in(0), 0);
  const MatrixRows x =
      prepare_rows(product, rows, operation.in(0).floats(), operation.scratch, operation.threads);
  return run_matrix_product(product, rows, x, operation.out().floats(), operation.threads);
}

Cost cost(const Operation& operation) {
  const Shape& weights = operation.in(1).shape;
  const double columns = static_cast<double>(weights[1]) * weights[2] * weights[3];
  return matrix_cost(operation.in(1), operation.in(0).shape[0], columns, weights[4]);
}

}  // namespace

const Way kDenseConvTranspose2D{"gemm", {accepts, create, bind, run}, cost};

}  // namespace figment::xnnpack
