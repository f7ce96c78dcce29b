// A transposed convolution as matrix products and col2im, a few input rows at a time.
#include "runtime/xnnpack/columns.h"

#include <pthreadpool.h>

#include <algorithm>
#include <cstring>

#include "runtime/ops/unary.h"

namespace figment::xnnpack {
namespace {

// Columns held at a time: half of a second-level cache of 1 MB. Measured on DCGAN 64x64: 300 KB to
// 600 KB are alike, 192 KB and 1100 KB are slower.
constexpr std::size_t kColumnBytes = 512 * 1024;
// Fewer outputs than this would leave much of a band's last vectors empty.
constexpr std::size_t kLeastBandOutputs = 128;
// Output rows that one thread takes at a time.
constexpr std::size_t kRowsPerTask = 4;

math::Window window_of(const Operation& operation) {
  const auto& options = operation.as<format::ConvTranspose2D>();
  const Shape& weights =
      operation.in(1).shape;  // [1, kernel_height, kernel_width, outputs, inputs]
  return {weights[1],
          weights[2],
          options.stride_height(),
          options.stride_width(),
          options.dilation_height(),
          options.dilation_width(),
          options.pad_top(),
          options.pad_left()};
}

// Activations that are cheap to apply to a row that is still in the cache; XNNPACK is faster at the
// others.
bool applies_to_rows(const format::Unary* activation) {
  if (activation == nullptr) return false;
  return activation->function() == format::UnaryFunction::Relu ||
         activation->function() == format::UnaryFunction::LeakyRelu ||
         activation->function() == format::UnaryFunction::Clip;
}

// The input rows whose products with kernel rows `first_tap` to before `last_tap` reach the
// picture.
struct Rows {
  int first, last;
};
Rows rows_that_reach(const math::Window& window, int first_tap, int last_tap, int input_height,
                     int output_height) {
  // Input row i, tap k: output row i * stride + k * dilation - pad, in [0, output_height).
  const int lowest = window.pad_top - (last_tap - 1) * window.dilation_height;
  const int highest = window.pad_top + output_height - 1 - first_tap * window.dilation_height;
  const int first = lowest <= 0 ? 0 : (lowest + window.stride_height - 1) / window.stride_height;
  const int last = highest < 0 ? 0 : highest / window.stride_height + 1;
  return {first, std::min(last, input_height)};
}

// Output rows of one picture, shared between threads.
struct RowTask {
  const Columns& how;
  math::Columns columns;
  const float* bias;
  int first;      // the output row of index 0
  float* output;  // the whole picture
  int output_width;
};

void write_rows(void* context, std::size_t start, std::size_t count) {
  const RowTask& task = *static_cast<const RowTask*>(context);
  const int first = task.first + static_cast<int>(start);
  const std::int64_t row_floats = std::int64_t{task.output_width} * task.columns.channels;
  for (int y = first; y < first + static_cast<int>(count); ++y) {
    float* row = task.output + y * row_floats;
    math::col2im(task.how.window, task.columns, task.bias, y, y + 1, task.output_width, row,
                 task.columns.channels);
    if (const format::Unary* unary = task.how.activation; unary != nullptr)
      ops::apply_unary(unary->function(), unary->alpha(), unary->beta(), row, row, row_floats);
  }
}

}  // namespace

Status create_columns(const Operation& operation, Build& build, Columns& columns) {
  const Tensor& weights = operation.in(1);
  const int height = operation.in(0).shape[1];
  columns.window = window_of(operation);
  const std::size_t kernel_row = extent(weights, 2) * extent(weights, 3);
  const std::size_t pixel_floats = extent(weights, 1) * kernel_row;
  const std::size_t row_bytes = extent(operation.in(0), 2) * pixel_floats * sizeof(float);
  columns.kept_rows = math::live_rows(columns.window, height) - 1;
  const auto fitting = static_cast<int>(std::min<std::size_t>(kColumnBytes / row_bytes, INT32_MAX));
  columns.tile_rows =
      std::clamp(fitting - columns.kept_rows, std::max(columns.kept_rows, 1), height);
  if (fitting >= height) columns.tile_rows = height;
  if (columns.tile_rows == height) columns.kept_rows = 0;
  build.scratch_bytes = static_cast<std::size_t>(columns.kept_rows + columns.tile_rows) * row_bytes;
  build.lowering = "xnnpack gemm + col2im";
  columns.activation = applies_to_rows(build.activation) ? build.activation : nullptr;
  build.fused_activation = columns.activation != nullptr;

  columns.band_rows = kernel_row >= kLeastBandOutputs ? 1 : weights.shape[1];
  const std::size_t bands = extent(weights, 1) / static_cast<std::size_t>(columns.band_rows);
  const MatrixProductShape shape{static_cast<std::size_t>(columns.band_rows) * kernel_row,
                                 extent(weights, 4), pixel_floats};
  columns.bands = build.arena.allocate_array<xnn_operator_t>(bands);
  const float* wide = widen(weights, build.arena);
  if (columns.bands == nullptr || wide == nullptr) return backend_error({"the arena is full"});
  Status status;
  for (std::size_t band = 0; status.ok() && band < bands; ++band) {
    columns.bands[band] = nullptr;
    status = create_matrix_product(shape, wide + band * shape.outputs * shape.inputs, nullptr,
                                   Limits{}, columns.bands[band]);
  }
  build.arena.give_back();
  return status;
}

bool run_columns(const Operation& operation, const Columns& how) {
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const math::Window& window = how.window;
  const std::int64_t input_row = std::int64_t{in[2]} * in[3];
  const std::int64_t band_floats = std::int64_t{how.band_rows} * window.kernel_width * out[3];
  const std::int64_t column_row =
      std::int64_t{in[2]} * window.kernel_height * window.kernel_width * out[3];
  auto* scratch = reinterpret_cast<float*>(operation.scratch);
  const int held_rows = how.kept_rows + how.tile_rows;
  for (int picture = 0; picture < in[0]; ++picture) {
    const float* x = operation.in(0).floats() + picture * in[1] * input_row;
    RowTask task{how,
                 {scratch, in[1], in[2], out[3], -how.kept_rows, held_rows},
                 operation.has(2) ? operation.in(2).floats() : nullptr,
                 0,
                 operation.out().floats() + std::int64_t{picture} * out[1] * out[2] * out[3],
                 out[2]};
    for (int row = 0; row < in[1]; row += how.tile_rows) {
      const int end = std::min(row + how.tile_rows, in[1]);
      task.columns.first_row = row - how.kept_rows;
      for (int tap = 0; tap < window.kernel_height; tap += how.band_rows) {
        const Rows reach = rows_that_reach(window, tap, tap + how.band_rows, in[1], out[1]);
        const int first = std::max(row, reach.first);
        const int last = std::min(end, reach.last);
        if (first >= last) continue;
        const int band = tap / how.band_rows;
        float* y = scratch + (first - task.columns.first_row) * column_row + band * band_floats;
        if (!run_matrix_product(
                how.bands[band],
                static_cast<std::size_t>(last - first) * static_cast<std::size_t>(in[2]),
                x + first * input_row, y, operation.threads))
          return false;
      }
      // Every output row whose last input row has its columns now.
      int ready = task.first;
      while (ready < out[1] &&
             (end == in[1] || math::input_rows_of(window, ready, in[1]).last <= end))
        ++ready;
      pthreadpool_parallelize_1d_tile_1d(operation.threads, write_rows, &task,
                                         static_cast<std::size_t>(ready - task.first), kRowsPerTask,
                                         /*flags=*/0);
      task.first = ready;
      std::memmove(scratch, scratch + how.tile_rows * column_row,
                   static_cast<std::size_t>(how.kept_rows * column_row) * sizeof(float));
    }
  }
  return true;
}

}  // namespace figment::xnnpack
