// Matrix products on our own loops or on XNNPACK's fully-connected operator.
#include "runtime/xnnpack/matrix_product.h"

#include <pthreadpool.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace figment::xnnpack {
namespace {

// A thread takes at least so many multiply-adds, or waking it costs more than it saves.
constexpr std::int64_t kTaskProducts = 1 << 16;
// Rows that a thread quantizes at a time.
constexpr std::size_t kRowsPerTask = 16;

// One product, cut into pieces of whole panels or of whole rows.
struct Pieces {
  const MatrixProduct& product;
  const MatrixRows& x;
  float* y;
  int rows;
  bool by_rows;
};

int columns_of(const MatrixProduct& product) {
  return product.is_int8() ? product.int8.columns : product.product.columns;
}

void multiply_piece(void* context, std::size_t start, std::size_t count) {
  const Pieces& pieces = *static_cast<const Pieces*>(context);
  const MatrixProduct& whole = pieces.product;
  const auto first = static_cast<std::int64_t>(start);
  const int panel = whole.kernels->panel_columns;
  const std::int64_t column = pieces.by_rows ? 0 : first * panel;
  const int columns = pieces.by_rows ? columns_of(whole)
                                     : std::min(static_cast<int>(count) * panel,
                                                columns_of(whole) - static_cast<int>(column));
  const MatrixRows x = pieces.x.from_row(pieces.by_rows ? first : 0);
  const int rows = pieces.by_rows ? static_cast<int>(count) : pieces.rows;
  if (whole.is_int8()) {
    simd::ProductInt8 piece = whole.int8;
    piece.a = x.integers;
    piece.a_stride = x.stride;
    piece.steps = x.steps;
    piece.least = x.least;
    piece.b += column * (piece.quads + 3) * 4;
    piece.c = pieces.y + column + (pieces.by_rows ? first * piece.c_stride : 0);
    piece.rows = rows;
    piece.columns = columns;
    whole.kernels->multiply_int8(piece);
  } else {
    simd::Product piece = whole.product;
    piece.a = x.x;
    piece.b += column * (std::int64_t{piece.depth} + 1);
    piece.c = pieces.y + column + (pieces.by_rows ? first * piece.c_stride : 0);
    piece.rows = rows;
    piece.columns = columns;
    whole.kernels->multiply(piece);
  }
}

void multiply(const Pieces& all, pthreadpool* threads) {
  Pieces pieces = all;
  const MatrixProduct& product = pieces.product;
  const std::int64_t depth =
      product.is_int8() ? std::int64_t{4} * product.int8.quads : product.product.depth;
  const std::int64_t work = depth * pieces.rows * columns_of(product);
  const std::size_t most = threads == nullptr ? 1 : pthreadpool_get_threads_count(threads);
  const std::size_t tasks = std::min(most, static_cast<std::size_t>(work / kTaskProducts));
  const int panel = product.kernels->panel_columns;
  const auto panels = static_cast<std::size_t>((columns_of(product) + panel - 1) / panel);
  pieces.by_rows = tasks > 1 && panels < 2 * tasks;
  const std::size_t range = pieces.by_rows ? static_cast<std::size_t>(pieces.rows) : panels;
  if (tasks < 2) return multiply_piece(&pieces, 0, range);
  pthreadpool_parallelize_1d_tile_1d(threads, multiply_piece, &pieces, range,
                                     (range + tasks - 1) / tasks, /*flags=*/0);
}

// The weights, and behind them, as an integer, whether none is infinite or NaN: a look at all of a
// file's would take longer than a run.
Status pack_floats(const MatrixProductShape& shape, const float* weights, const float* bias,
                   const Limits& limits, Build& build, MatrixProduct& product) {
  const auto outputs = static_cast<std::int64_t>(shape.outputs);
  const auto inputs = static_cast<std::int64_t>(shape.inputs);
  const simd::Packing packing(simd::kernels(), outputs, inputs);
  const auto floats = static_cast<std::size_t>(packing.floats());
  std::uint32_t finite = 0;
  const PackedMemory memory = build.packed.take(floats * sizeof(float) + sizeof finite);
  if (memory.bytes == nullptr) return backend_error({"the arena is full"});
  auto* packed = reinterpret_cast<float*>(memory.bytes);
  product = packed_matrix_product(shape, packed, limits);
  if (!memory.filled) {
    std::fill_n(packed, floats, 0.0f);
    bool all_finite = true;
    for (std::int64_t output = 0; output < outputs; ++output) {
      if (bias != nullptr) packed[packing.at(output, -1)] = bias[output];
      float* to = packed + packing.at(output, 0);
      const std::int64_t line = packing.at(output, 1) - packing.at(output, 0);
      for (std::int64_t k = 0; k < inputs; ++k) {
        const float weight = weights[output * inputs + k];
        to[k * line] = weight;
        all_finite &= std::isfinite(weight);
      }
    }
    finite = all_finite ? 1 : 0;
    std::memcpy(packed + floats, &finite, sizeof finite);
  }
  std::memcpy(&finite, packed + floats, sizeof finite);
  product.product.finite_b = finite == 1;
  return {};
}

// The largest magnitude, or the largest sum of those that meet in 16 bits (Kernels::short_quads).
template <typename Number>
float largest_magnitude(const Number* weights, std::int64_t count) {
  const std::int64_t quads = simd::kernels().short_quads;
  float largest = 0;
  if (quads == 0)
    for (std::int64_t i = 0; i < count; ++i)
      largest = std::max(largest, std::fabs(static_cast<float>(weights[i])));
  else
    for (std::int64_t first = 0; first < count; first += 4 * quads) {
      float sums[2] = {};  // of bytes 0 and 1, and of 2 and 3
      for (std::int64_t i = first; i < std::min(first + 4 * quads, count); ++i)
        sums[i % 4 / 2] += std::fabs(static_cast<float>(weights[i]));
      largest = std::max({largest, sums[0], sums[1]});
    }
  return largest;
}

// What that may be; rounding may add half a step to each of those that meet.
float most_magnitude() {
  const int quads = simd::kernels().short_quads;
  return static_cast<float>(quads == 0 ? 127 : simd::kShortWeights - quads);
}

// By how much integers must shrink so that the loops bear them.
float shrink_of(const std::int8_t* weights, std::int64_t count) {
  if (simd::kernels().short_quads == 0) return 1;
  const float largest = largest_magnitude(weights, count);
  return largest <= simd::kShortWeights ? 1 : most_magnitude() / largest;
}

Status pack_bytes(const MatrixProductShape& shape, const MatrixWeights& weights, const float* bias,
                  const Limits& limits, Build& build, MatrixProduct& product) {
  const auto outputs = static_cast<std::int64_t>(shape.outputs);
  const auto inputs = static_cast<std::int64_t>(shape.inputs);
  const simd::PackingInt8 packing(simd::kernels(), outputs, inputs);
  const auto bytes = static_cast<std::size_t>(packing.bytes());
  const PackedMemory memory = build.packed.take(bytes);
  if (memory.bytes == nullptr) return backend_error({"the arena is full"});
  std::byte* packed = memory.bytes;
  product = {&simd::kernels(), nullptr, {}, {}};
  product.product.depth = static_cast<int>(inputs);
  product.int8.b = packed;
  product.int8.c_stride = static_cast<std::int64_t>(shape.output_stride);
  product.int8.columns = static_cast<int>(outputs);
  product.int8.quads = static_cast<int>(packing.quads);
  product.int8.low = limits.low;
  product.int8.high = limits.high;
  if (memory.filled) return {};
  std::memset(packed, 0, bytes);
  for (std::int64_t output = 0; output < outputs; ++output) {
    const std::int8_t* row = weights.bytes + output * inputs;
    const float shrink = shrink_of(row, inputs);
    PackedColumn column(packing, packed, output);
    for (std::int64_t k = 0; k < inputs; ++k)
      column.put(k, static_cast<std::int8_t>(std::lrintf(row[k] * shrink)));
    column.finish(weights.scales[output % weights.channels] / shrink,
                  bias != nullptr ? bias[output] : 0);
  }
  return {};
}

struct QuantizeTask {
  const simd::Kernels& kernels;
  simd::QuantizedRows rows;
};

void quantize_piece(void* context, std::size_t first, std::size_t count) {
  const QuantizeTask& task = *static_cast<const QuantizeTask*>(context);
  const auto row = static_cast<std::int64_t>(first);
  simd::QuantizedRows piece = task.rows;
  piece.x += row * piece.x_stride;
  piece.integers += row * piece.stride;
  piece.steps += row;
  piece.least += row;
  piece.rows = static_cast<int>(count);
  task.kernels.quantize(piece);
}

}  // namespace

MatrixWeights matrix_weights(const Tensor& weights, std::int64_t channels, Build& build) {
  if (weights.type == DataType::kInt8)
    return {nullptr, static_cast<const std::int8_t*>(weights.data), weights.scales.data(),
            channels};
  if (build.packed.from_file()) return {weights.floats(), nullptr, nullptr, 0};
  return {widen(weights, build.arena), nullptr, nullptr, 0};
}

float steps_in_one(const float* weights, std::int64_t count) {
  const float largest = largest_magnitude(weights, count);
  return largest > 0 ? most_magnitude() / largest : 0;
}

Status create_matrix_product(const MatrixProductShape& shape, const MatrixWeights& weights,
                             const float* bias, const Limits& limits, Build& build,
                             MatrixProduct& product) {
  if (weights.bytes != nullptr) return pack_bytes(shape, weights, bias, limits, build, product);
  if (simd::kernels().beats_libraries)
    return pack_floats(shape, weights.floats, bias, limits, build, product);
  product = {nullptr, nullptr, {}, {}};
  product.product.a_stride = static_cast<std::int64_t>(shape.inputs);
  const xnn_status status = build.packed.create_operator([&] {
    return xnn_create_fully_connected_nc_f32(
        shape.inputs, shape.outputs, /*input_stride=*/shape.inputs, shape.output_stride,
        weights.floats, bias, limits.low, limits.high, /*flags=*/0, /*code_cache=*/nullptr,
        build.packed.cache(), &product.library);
  });
  return status_of_created(status, product.library, "a matrix product");
}

MatrixProduct packed_matrix_product(const MatrixProductShape& shape, const float* packed,
                                    const Limits& limits) {
  const auto inputs = static_cast<int>(shape.inputs);
  return {&simd::kernels(),
          nullptr,
          {nullptr, inputs, packed, nullptr, static_cast<std::int64_t>(shape.output_stride), 0,
           static_cast<int>(shape.outputs), inputs, limits.low, limits.high},
          {}};
}

std::size_t rows_bytes(const MatrixProduct& product, std::size_t rows) {
  if (!product.is_int8()) return 0;
  const std::size_t row = 4 * static_cast<std::size_t>(product.int8.quads);
  return rows * (row + sizeof(float) + sizeof(std::int32_t));
}

IntegerRows integer_rows(const MatrixProduct& product, std::size_t rows, std::byte* scratch) {
  const std::int64_t stride = std::int64_t{4} * product.int8.quads;
  auto* integers = reinterpret_cast<std::uint8_t*>(scratch);
  auto* steps = reinterpret_cast<float*>(integers + rows * static_cast<std::size_t>(stride));
  return {integers, stride, steps, reinterpret_cast<std::int32_t*>(steps + rows)};
}

MatrixRows prepare_rows(const MatrixProduct& product, std::size_t rows, const float* x,
                        std::byte* scratch, pthreadpool* threads) {
  if (!product.is_int8()) return {x, product.product.a_stride, nullptr, 0, nullptr, nullptr};
  const IntegerRows to = integer_rows(product, rows, scratch);
  const std::int64_t depth = product.product.depth;
  QuantizeTask task{*product.kernels,
                    {x, depth, to.integers, to.stride, to.steps, to.least, 0, depth}};
  pthreadpool_parallelize_1d_tile_1d(threads, quantize_piece, &task, rows,
                                     threads == nullptr ? rows : kRowsPerTask, /*flags=*/0);
  return {nullptr, 0, to.integers, to.stride, to.steps, to.least};
}

bool run_matrix_product(const MatrixProduct& product, std::size_t rows, const MatrixRows& x,
                        float* y, pthreadpool* threads) {
  if (product.kernels == nullptr)
    // XNNPACK's reshape of a fully-connected operator is arithmetic alone.
    return xnn_reshape_fully_connected_nc_f32(product.library, rows, threads) ==
               xnn_status_success &&
           xnn_setup_fully_connected_nc_f32(product.library, x.x, y) == xnn_status_success &&
           xnn_run_operator(product.library, threads) == xnn_status_success;
  multiply({product, x, y, static_cast<int>(rows), false}, threads);
  return true;
}

bool run_matrix_product(const MatrixProduct& product, std::size_t rows, const float* x, float* y,
                        pthreadpool* threads) {
  return run_matrix_product(
      product, rows, {x, product.product.a_stride, nullptr, 0, nullptr, nullptr}, y, threads);
}

}  // namespace figment::xnnpack
