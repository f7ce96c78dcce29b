// A transposed convolution as matrix products and col2im; a convolution of stride 1, too.
//
// XNNPACK's own operator takes its one-row kernel at batch 1, pads few output channels to a full
// vector and keeps a pointer for every tap of every output pixel. The product of the input's pixels
// [height*width, inputs] with the weights [kernel_height*kernel_width*outputs, inputs] needs none
// of that; col2im then sums the columns that meet in each output pixel, adds the bias and applies
// the activation while the row is in the cache.
#include <pthreadpool.h>

#include <algorithm>
#include <cstring>

#include "runtime/math/im2col.h"
#include "runtime/ops/unary.h"
#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/matrix_product.h"
#include "runtime/xnnpack/ways.h"

namespace figment::xnnpack {
namespace {

// Columns held at a time: half of a second-level cache of 1 MB. Measured on DCGAN 64x64: 300 KB to
// 600 KB are alike, 192 KB and 1100 KB are slower.
constexpr std::size_t kColumnBytes = 512 * 1024;
// Fewer outputs than this would leave much of a band's last vectors empty.
constexpr std::size_t kLeastBandOutputs = 128;
// Output rows that one thread takes at a time.
constexpr std::size_t kRowsPerTask = 4;

struct State {
  math::Window window;
  // One product for each `band_rows` kernel rows. Near the upper and lower edge some kernel rows
  // fall outside the picture; a product of its own leaves those input rows out.
  MatrixProduct* bands;
  int band_rows;
  int tile_rows;             // input rows whose columns are made at a time
  int kept_rows;             // of the tile before, which the next output rows read too
  std::size_t column_bytes;  // of scratch
  const float* bias;         // once for every pixel of a stride, and a vector more
  Fused fused;               // applied as rows are written
};

// Floats of one kernel row of a pixel's columns.
std::int64_t row_floats(const Kernel& kernel) {
  return std::int64_t{kernel.width} * kernel.outputs;
}

// A convolution of stride 1 is a transposed one with its taps in reverse.
math::Window window_of(const Operation& operation) {
  const Kernel kernel = kernel_of(operation);
  if (!is_transposed(operation)) {
    const auto& options = operation.as<format::Conv2D>();
    return {kernel.height,
            kernel.width,
            1,
            1,
            1,
            1,
            kernel.height - 1 - options.pad_top(),
            kernel.width - 1 - options.pad_left()};
  }
  const auto& options = operation.as<format::ConvTranspose2D>();
  return {kernel.height,
          kernel.width,
          options.stride_height(),
          options.stride_width(),
          options.dilation_height(),
          options.dilation_width(),
          options.pad_top(),
          options.pad_left()};
}

// The weights as [height, width, outputs, inputs], lent by the arena where they are not so already.
MatrixWeights column_weights(const Operation& operation, Build& build) {
  const Tensor& weights = operation.in(1);
  const Kernel kernel = kernel_of(operation);
  if (is_transposed(operation)) return matrix_weights(weights, kernel.outputs, build);
  const auto bytes = static_cast<std::size_t>(weights.elements()) *
                     (weights.type == DataType::kInt8 ? sizeof(std::int8_t) : sizeof(float));
  void* turned = build.arena.borrow(bytes);
  if (turned == nullptr) return {nullptr, nullptr, nullptr, 0};
  const int taps = kernel.height * kernel.width;
  std::int64_t to = 0;
  for (int tap = taps - 1; tap >= 0; --tap)
    for (int output = 0; output < kernel.outputs; ++output)
      for (int input = 0; input < kernel.inputs; ++input, ++to) {
        const std::int64_t from = (std::int64_t{output} * taps + tap) * kernel.inputs + input;
        if (weights.type == DataType::kInt8)
          static_cast<std::int8_t*>(turned)[to] =
              static_cast<const std::int8_t*>(weights.data)[from];
        else
          static_cast<float*>(turned)[to] = weight_at(weights, from, output);
      }
  if (weights.type == DataType::kInt8)
    return {nullptr, static_cast<const std::int8_t*>(turned), weights.scales.data(),
            kernel.outputs};
  return {static_cast<const float*>(turned), nullptr, nullptr, 0};
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
  const State& how;
  math::Columns columns;
  int first;      // the output row of index 0
  float* output;  // the whole picture
  int output_width;
  const float* plain_bias;
  simd::ColumnRow row;  // all but the columns and the output
};

// A row whose taps lie apart (dilation).
void write_dilated_row(const RowTask& task, int y, float* row) {
  math::col2im(task.how.window, task.columns, task.plain_bias, y, y + 1, task.output_width, row,
               task.columns.channels);
  const std::int64_t floats = std::int64_t{task.output_width} * task.columns.channels;
  const Fused& fused = task.how.fused;
  for (std::int64_t i = 0; i < floats; ++i) {
    const float x = row[i] < 0 ? fused.slope * row[i] : row[i];
    row[i] = x < fused.limits.low    ? fused.limits.low
             : x > fused.limits.high ? fused.limits.high
                                     : x;
  }
}

void write_rows(void* context, std::size_t start, std::size_t count) {
  const RowTask& task = *static_cast<const RowTask*>(context);
  const math::Window& window = task.how.window;
  const math::Columns& columns = task.columns;
  const std::int64_t pixel_floats = columns.pixel_floats(window);
  const std::int64_t kernel_row = std::int64_t{window.kernel_width} * columns.channels;
  const simd::Kernels& kernels = simd::kernels();
  for (int y = task.first + static_cast<int>(start), end = y + static_cast<int>(count); y < end;
       ++y) {
    float* output = task.output + std::int64_t{y} * task.output_width * columns.channels;
    if (window.dilation_height != 1 || window.dilation_width != 1) {
      write_dilated_row(task, y, output);
      continue;
    }
    // Input row block - t, kernel row phase + t * stride.
    const int block = (y + window.pad_top) / window.stride_height;
    const int phase = (y + window.pad_top) % window.stride_height;
    const int first_tap = std::max(0, block - columns.height + 1);
    const int taps =
        phase < window.kernel_height
            ? std::min(block, (window.kernel_height - 1 - phase) / window.stride_height) + 1
            : 0;
    simd::ColumnRow row = task.row;
    row.rows = std::max(0, taps - first_tap);
    row.columns = columns.data +
                  (block - first_tap - columns.first_row) * columns.width * pixel_floats +
                  (phase + first_tap * window.stride_height) * kernel_row;
    row.output = output;
    kernels.sum_columns(row);
  }
}

bool accepts(const Operation& operation) {
  if (!has_packable_weights(operation)) return false;
  const Kernel kernel = kernel_of(operation);
  const math::Window window = window_of(operation);
  // The border bounds the portable room's scratch, which for a convolution is another.
  const Shape& in = operation.in(0).shape;
  const double columns = static_cast<double>(math::live_rows(window, in[1])) * in[2] *
                         kernel.height * static_cast<double>(row_floats(kernel));
  if (columns > static_cast<double>(kMaxElements)) return false;
  if (is_transposed(operation)) return operation.as<format::ConvTranspose2D>().groups() == 1;
  const auto& options = operation.as<format::Conv2D>();
  return options.groups() == 1 && options.stride_height() == 1 && options.stride_width() == 1 &&
         options.dilation_height() == 1 && options.dilation_width() == 1 && window.pad_top >= 0 &&
         window.pad_left >= 0;
}

Status create(const Operation& operation, Build& build) {
  auto* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{};
  build.state = state;
  const Kernel kernel = kernel_of(operation);
  const int height = operation.in(0).shape[1];
  state->window = window_of(operation);
  state->fused = fuse_into_loop(build);
  const auto kernel_row = static_cast<std::size_t>(row_floats(kernel));
  const std::size_t pixel_floats = static_cast<std::size_t>(kernel.height) * kernel_row;
  const std::size_t row_bytes = extent(operation.in(0), 2) * pixel_floats * sizeof(float);
  state->kept_rows = math::live_rows(state->window, height) - 1;
  const auto fitting = static_cast<int>(std::min<std::size_t>(kColumnBytes / row_bytes, INT32_MAX));
  state->tile_rows = std::clamp(fitting - state->kept_rows, std::max(state->kept_rows, 1), height);
  if (fitting >= height) state->tile_rows = height;
  if (state->tile_rows == height) state->kept_rows = 0;
  // Vectors read past the last column.
  const auto slack = static_cast<std::size_t>(simd::kernels().lanes) * sizeof(float);
  build.scratch_bytes =
      static_cast<std::size_t>(state->kept_rows + state->tile_rows) * row_bytes + slack;

  const auto channels = static_cast<std::size_t>(kernel.outputs);
  const std::size_t block =
      std::min(static_cast<std::size_t>(state->window.stride_width), extent(operation.out(), 2)) *
      channels;
  float* bias = build.arena.allocate_array<float>(block + slack / sizeof(float));
  if (bias == nullptr) return backend_error({"the arena is full"});
  std::memset(bias, 0, block * sizeof(float) + slack);
  if (operation.has(2))
    for (std::size_t at = 0; at < block; at += channels)
      std::copy_n(operation.in(2).floats(), channels, bias + at);
  state->bias = bias;

  state->band_rows = kernel_row >= kLeastBandOutputs ? 1 : kernel.height;
  const std::size_t bands = static_cast<std::size_t>(kernel.height / state->band_rows);
  const MatrixProductShape shape{static_cast<std::size_t>(state->band_rows) * kernel_row,
                                 static_cast<std::size_t>(kernel.inputs), pixel_floats};
  state->bands = build.arena.allocate_array<MatrixProduct>(bands);
  const MatrixWeights weights = column_weights(operation, build);
  if (state->bands == nullptr || !weights.ok()) return backend_error({"the arena is full"});
  Status status;
  for (std::size_t band = 0; status.ok() && band < bands; ++band)
    status = create_matrix_product(
        shape, weights.from_row(static_cast<std::int64_t>(band * shape.outputs), shape.inputs),
        nullptr, Limits{}, build, state->bands[band]);
  build.arena.give_back();
  FIG_TRY(status);
  // Quantized rows stand behind the columns.
  state->column_bytes = Arena::round_up(build.scratch_bytes);
  build.scratch_bytes =
      state->column_bytes + rows_bytes(state->bands[0], static_cast<std::size_t>(state->tile_rows) *
                                                            extent(operation.in(0), 2));
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  const math::Window& window = state.window;
  const std::int64_t input_row = std::int64_t{in[2]} * in[3];
  const std::int64_t band_floats = std::int64_t{state.band_rows} * window.kernel_width * out[3];
  const std::int64_t pixel_floats =
      std::int64_t{window.kernel_height} * window.kernel_width * out[3];
  const std::int64_t column_row = in[2] * pixel_floats;
  auto* scratch = reinterpret_cast<float*>(operation.scratch);
  const int held_rows = state.kept_rows + state.tile_rows;
  for (int picture = 0; picture < in[0]; ++picture) {
    const float* x = operation.in(0).floats() + picture * in[1] * input_row;
    RowTask task{
        state,
        {scratch, in[1], in[2], out[3], -state.kept_rows, held_rows},
        0,
        operation.out().floats() + std::int64_t{picture} * out[1] * out[2] * out[3],
        out[2],
        bias_of(operation, 2),
        {nullptr, 0, std::int64_t{window.stride_height} * window.kernel_width * out[3] - column_row,
         pixel_floats, std::int64_t{window.stride_width} * out[3] - pixel_floats,
         window.kernel_width, window.stride_width, in[2], out[2], out[3], window.pad_left,
         state.bias, state.fused.slope, state.fused.limits.low, state.fused.limits.high, nullptr}};
    for (int row = 0; row < in[1]; row += state.tile_rows) {
      const int end = std::min(row + state.tile_rows, in[1]);
      task.columns.first_row = row - state.kept_rows;
      const MatrixRows tile = prepare_rows(
          state.bands[0], static_cast<std::size_t>(end - row) * static_cast<std::size_t>(in[2]),
          x + row * input_row, operation.scratch + state.column_bytes, operation.threads);
      for (int tap = 0; tap < window.kernel_height; tap += state.band_rows) {
        const Rows reach = rows_that_reach(window, tap, tap + state.band_rows, in[1], out[1]);
        const int first = std::max(row, reach.first);
        const int last = std::min(end, reach.last);
        if (first >= last) continue;
        const int band = tap / state.band_rows;
        float* y = scratch + (first - task.columns.first_row) * column_row + band * band_floats;
        if (!run_matrix_product(
                state.bands[band],
                static_cast<std::size_t>(last - first) * static_cast<std::size_t>(in[2]),
                tile.from_row(std::int64_t{first - row} * in[2]), y, operation.threads))
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
      std::memmove(scratch, scratch + state.tile_rows * column_row,
                   static_cast<std::size_t>(state.kept_rows * column_row) * sizeof(float));
    }
  }
  return true;
}

// What a float of a column costs to be written and to be added to its pixel.
constexpr double kColumnCost = 18;
// Where the kernel is no multiple of the stride, a stride's pixels are added up in two parts.
constexpr double kPartCost = 1.25;

Cost cost(const Operation& operation) {
  const Shape& in = operation.in(0).shape;
  const Kernel kernel = kernel_of(operation);
  const math::Window window = window_of(operation);
  const double pixels = static_cast<double>(in[0]) * in[1] * in[2];
  const double columns =
      static_cast<double>(kernel.height) * static_cast<double>(row_floats(kernel));
  // Few channels leave much of the vectors empty that add up a stride's pixels.
  const int lanes = simd::kernels().lanes;
  const auto vectors = [&](int floats) { return (floats + lanes - 1) / lanes; };
  const int block = window.stride_width * kernel.outputs;
  const int part = kernel.width % window.stride_width * kernel.outputs;
  const double added =
      part == 0 ? vectors(block) : kPartCost * (vectors(part) + vectors(block - part));
  return matrix_cost(operation.in(1), pixels, columns, kernel.inputs) +
         kColumnCost * pixels * columns * added * lanes / block;
}

}  // namespace

const Way kColumnsWay{"gemm + col2im", {accepts, create, bind, run}, cost};

}  // namespace figment::xnnpack
