// Matrix products on our own loops or on XNNPACK's fully-connected operator.
#include "runtime/xnnpack/matrix_product.h"

#include <pthreadpool.h>

#include <algorithm>

namespace figment::xnnpack {
namespace {

// A thread takes at least so many multiply-adds, or waking it costs more than it saves.
constexpr std::size_t kTaskProducts = 1 << 16;

// One product, cut into pieces of whole panels or of whole rows.
struct Pieces {
  const simd::Kernels& kernels;
  simd::Product product;
  bool by_rows;
};

void multiply_piece(void* context, std::size_t first, std::size_t count) {
  const Pieces& pieces = *static_cast<const Pieces*>(context);
  simd::Product piece = pieces.product;
  if (pieces.by_rows) {
    piece.a += static_cast<std::int64_t>(first) * piece.a_stride;
    piece.c += static_cast<std::int64_t>(first) * piece.c_stride;
    piece.rows = static_cast<int>(count);
  } else {
    const int column = static_cast<int>(first) * pieces.kernels.panel_columns;
    piece.b += std::int64_t{column} * (std::int64_t{piece.depth} + 1);
    piece.c += column;
    piece.columns =
        std::min(static_cast<int>(count) * pieces.kernels.panel_columns, piece.columns - column);
  }
  pieces.kernels.multiply(piece);
}

void multiply(const simd::Kernels& kernels, const simd::Product& product, pthreadpool* threads) {
  const std::size_t most = threads == nullptr ? 1 : pthreadpool_get_threads_count(threads);
  const std::size_t work = static_cast<std::size_t>(product.rows) *
                           static_cast<std::size_t>(product.columns) *
                           static_cast<std::size_t>(product.depth);
  const std::size_t tasks = std::min(most, work / kTaskProducts);
  if (tasks < 2) return kernels.multiply(product);
  const auto panels = static_cast<std::size_t>((product.columns + kernels.panel_columns - 1) /
                                               kernels.panel_columns);
  Pieces pieces{kernels, product, panels < 2 * tasks};
  const std::size_t range = pieces.by_rows ? static_cast<std::size_t>(product.rows) : panels;
  pthreadpool_parallelize_1d_tile_1d(threads, multiply_piece, &pieces, range,
                                     (range + tasks - 1) / tasks, /*flags=*/0);
}

}  // namespace

Status create_matrix_product(const MatrixProductShape& shape, const float* weights,
                             const float* bias, const Limits& limits, Arena& arena,
                             MatrixProduct& product) {
  const simd::Kernels& kernels = simd::kernels();
  if (!kernels.beats_libraries) {
    product = {nullptr, nullptr, {}};
    return status_of_created(
        xnn_create_fully_connected_nc_f32(
            shape.inputs, shape.outputs, /*input_stride=*/shape.inputs, shape.output_stride,
            weights, bias, limits.low, limits.high, /*flags=*/0, /*code_cache=*/nullptr,
            /*weights_cache=*/nullptr, &product.library),
        product.library, "a matrix product");
  }
  const auto outputs = static_cast<std::int64_t>(shape.outputs);
  const auto inputs = static_cast<std::int64_t>(shape.inputs);
  const simd::Packing packing(kernels, outputs, inputs);
  const auto floats = static_cast<std::size_t>(packing.floats());
  float* packed = arena.allocate_array<float>(floats);
  if (packed == nullptr) return backend_error({"the arena is full"});
  std::fill_n(packed, floats, 0.0f);
  for (std::int64_t output = 0; output < outputs; ++output) {
    if (bias != nullptr) packed[packing.at(output, -1)] = bias[output];
    float* to = packed + packing.at(output, 0);
    const std::int64_t line = packing.at(output, 1) - packing.at(output, 0);
    for (std::int64_t k = 0; k < inputs; ++k) to[k * line] = weights[output * inputs + k];
  }
  product = packed_matrix_product(shape, packed, limits);
  return {};
}

MatrixProduct packed_matrix_product(const MatrixProductShape& shape, const float* packed,
                                    const Limits& limits) {
  const auto inputs = static_cast<int>(shape.inputs);
  return {&simd::kernels(),
          nullptr,
          {nullptr, inputs, packed, nullptr, static_cast<std::int64_t>(shape.output_stride), 0,
           static_cast<int>(shape.outputs), inputs, limits.low, limits.high}};
}

bool run_matrix_product(const MatrixProduct& product, std::size_t rows, const float* x, float* y,
                        pthreadpool* threads) {
  if (product.kernels == nullptr)
    // XNNPACK's reshape of a fully-connected operator is arithmetic alone.
    return xnn_reshape_fully_connected_nc_f32(product.library, rows, threads) ==
               xnn_status_success &&
           xnn_setup_fully_connected_nc_f32(product.library, x, y) == xnn_status_success &&
           xnn_run_operator(product.library, threads) == xnn_status_success;
  simd::Product whole = product.product;
  whole.a = x;
  whole.c = y;
  whole.rows = static_cast<int>(rows);
  multiply(*product.kernels, whole, threads);
  return true;
}

}  // namespace figment::xnnpack
