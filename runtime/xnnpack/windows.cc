// A convolution with int8 weights as the definition has it: what each window sees becomes a row of
// integers (im2col), and the rows' product with the weights is the output.
//
// A transposed convolution, too: each of its stride * stride phases reads the input through other
// taps, so windows of ceil(kernel / stride) taps give the phases as so many times the channels, and
// writing them interleaves (sub-pixel convolution).
#include <pthreadpool.h>

#include <algorithm>
#include <cstring>

#include "runtime/math/gemm.h"
#include "runtime/ops/window.h"
#include "runtime/xnnpack/kernel.h"
#include "runtime/xnnpack/matrix_product.h"
#include "runtime/xnnpack/ways.h"

namespace figment::xnnpack {
namespace {

// Integers that a thread holds at a time: an eighth of a second-level cache of 1 MB, for the
// picture, the output and the weights go through it too.
constexpr std::int64_t kBlockBytes = 128 * 1024;
constexpr std::int64_t kLeastBlock = 64;  // windows; fewer would read the weights too often
constexpr std::size_t kRowsPerTask = 4;   // of the picture, whose extremes one thread finds
// What a number of the input costs to be looked at, and of the phases to be put in its place.
constexpr double kExtremeCost = 2;
constexpr double kInterleaveCost = 2;

struct Geometry {
  math::Window window;
  int down, across;  // windows
  // A window's outputs are as many pixels; those of the first window before row crop_top and column
  // crop_left are cut off.
  int phase_rows, phase_columns;
  int crop_top, crop_left;
  int inputs, outputs;

  std::int64_t depth() const {
    return std::int64_t{window.kernel_height} * window.kernel_width * inputs;
  }
  // Of one row of phases.
  std::int64_t columns() const { return std::int64_t{phase_columns} * outputs; }
  bool interleaves() const { return phase_rows * phase_columns > 1 || crop_top + crop_left > 0; }
};

struct State {
  Geometry geometry;
  MatrixProduct* products;  // one for each row of phases
  // Blocks that run side by side, each in a part of the scratch.
  std::int64_t block;  // windows
  int lanes;
  std::size_t extreme_bytes, lane_bytes;
};

int ceiling(int a, int b) { return (a + b - 1) / b; }

Geometry geometry_of(const Operation& operation) {
  const Kernel kernel = kernel_of(operation);
  const Shape& out = operation.out().shape;
  Geometry geometry{{}, out[1], out[2], 1, 1, 0, 0, kernel.inputs, kernel.outputs};
  math::Window& window = geometry.window;
  if (!is_transposed(operation)) {
    window = ops::window_of(ops::WindowOptions(operation.as<format::Conv2D>()), kernel.height,
                            kernel.width);
    return geometry;
  }
  const auto& options = operation.as<format::ConvTranspose2D>();
  geometry.phase_rows = options.stride_height();
  geometry.phase_columns = options.stride_width();
  geometry.crop_top = options.pad_top();
  geometry.crop_left = options.pad_left();
  geometry.down = ceiling(out[1] + geometry.crop_top, geometry.phase_rows);
  geometry.across = ceiling(out[2] + geometry.crop_left, geometry.phase_columns);
  window.kernel_height = ceiling(kernel.height, geometry.phase_rows);
  window.kernel_width = ceiling(kernel.width, geometry.phase_columns);
  window.pad_top = window.kernel_height - 1;
  window.pad_left = window.kernel_width - 1;
  return geometry;
}

// All but the picture and its extremes.
simd::Windows windows_of(const Geometry& geometry, const Shape& in) {
  const math::Window& window = geometry.window;
  return {nullptr,
          in[1],
          in[2],
          in[3],
          window.kernel_height,
          window.kernel_width,
          window.stride_height,
          window.stride_width,
          window.dilation_height,
          window.dilation_width,
          window.pad_top,
          window.pad_left,
          geometry.across,
          nullptr,
          nullptr};
}

bool accepts(const Operation& operation) {
  if (operation.in(1).type != DataType::kInt8 || !has_packable_weights(operation)) return false;
  if (is_transposed(operation)) {
    const auto& options = operation.as<format::ConvTranspose2D>();
    if (options.groups() != 1 || options.dilation_height() != 1 || options.dilation_width() != 1)
      return false;
  } else if (operation.as<format::Conv2D>().groups() != 1) {
    return false;
  }
  // Weights and scratch are larger than what the border has bounded.
  const Geometry geometry = geometry_of(operation);
  const auto depth = static_cast<double>(geometry.depth());
  const double columns =
      static_cast<double>(geometry.phase_rows) * static_cast<double>(geometry.columns());
  const double extremes = static_cast<double>(operation.in(0).shape[1]) *
                          windows_of(geometry, operation.in(0).shape).line_columns();
  const auto most = static_cast<double>(kMaxElements) / 2;
  return depth <= static_cast<double>(math::kMaxInt8Depth) && depth * columns <= most &&
         extremes <= most / 4 && kLeastBlock * std::max(columns * 4, depth) <= most;
}

// The weights of a transposed convolution as its windows meet them, [phase rows, phase columns *
// outputs, taps * inputs]; 0 beyond the kernel.
void gather_phases(const Operation& operation, const Geometry& geometry, std::int8_t* to) {
  const Kernel kernel = kernel_of(operation);
  const auto* weights = static_cast<const std::int8_t*>(operation.in(1).data);
  const math::Window& window = geometry.window;
  const auto inputs = static_cast<std::size_t>(kernel.inputs);
  for (int row = 0; row < geometry.phase_rows; ++row)
    for (int column = 0; column < geometry.phase_columns; ++column)
      for (int output = 0; output < kernel.outputs; ++output)
        for (int tap_y = window.kernel_height - 1; tap_y >= 0; --tap_y)
          for (int tap_x = window.kernel_width - 1; tap_x >= 0; --tap_x, to += inputs) {
            const int y = row + geometry.phase_rows * tap_y;
            const int x = column + geometry.phase_columns * tap_x;
            if (y >= kernel.height || x >= kernel.width)
              std::memset(to, 0, inputs);
            else
              std::memcpy(to,
                          weights + (std::int64_t{y * kernel.width + x} * kernel.outputs + output) *
                                        kernel.inputs,
                          inputs);
          }
}

Status create_products(const Operation& operation, State& state, Build& build) {
  const Geometry& geometry = state.geometry;
  const auto columns = static_cast<std::size_t>(geometry.columns());
  const auto depth = static_cast<std::size_t>(geometry.depth());
  const auto phase_rows = static_cast<std::size_t>(geometry.phase_rows);
  const auto outputs = static_cast<std::size_t>(geometry.outputs);
  const MatrixProductShape shape{columns, depth, columns};
  const Limits limits = fuse_limits(build);
  state.products = build.arena.allocate_array<MatrixProduct>(phase_rows);
  if (state.products == nullptr) return backend_error({"the arena is full"});
  MatrixWeights weights = matrix_weights(operation.in(1), geometry.outputs, build);
  const float* bias = bias_of(operation, 2);
  if (geometry.interleaves()) {
    auto* biases =
        static_cast<float*>(build.arena.borrow(columns * (sizeof(float) + phase_rows * depth)));
    if (biases == nullptr) return backend_error({"the arena is full"});
    auto* gathered = reinterpret_cast<std::int8_t*>(biases + columns);
    if (!build.packed.from_file()) gather_phases(operation, geometry, gathered);
    weights.bytes = gathered;
    if (bias != nullptr) {
      for (std::size_t at = 0; at < columns; at += outputs) std::copy_n(bias, outputs, biases + at);
      bias = biases;
    }
  }
  Status status;
  for (std::size_t row = 0; status.ok() && row < phase_rows; ++row)
    status = create_matrix_product(
        shape, weights.from_row(static_cast<std::int64_t>(row * columns), depth), bias, limits,
        build, state.products[row]);
  if (geometry.interleaves()) build.arena.give_back();
  return status;
}

Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{};
  build.state = state;
  state->geometry = geometry_of(operation);
  FIG_TRY(create_products(operation, *state, build));
  const Geometry& geometry = state->geometry;
  const std::int64_t count = std::int64_t{geometry.down} * geometry.across;
  state->lanes = 1;
  if (operation.threads != nullptr)
    state->lanes = static_cast<int>(std::min<std::int64_t>(
        static_cast<std::int64_t>(pthreadpool_get_threads_count(operation.threads)),
        (count + kLeastBlock - 1) / kLeastBlock));
  // Blocks as even as can be, the same number for every thread.
  const std::int64_t most = std::max(kBlockBytes / geometry.depth(), kLeastBlock) * state->lanes;
  const std::int64_t blocks = (count + most - 1) / most * state->lanes;
  state->block = (count + blocks - 1) / blocks;
  const simd::Windows windows = windows_of(geometry, operation.in(0).shape);
  state->extreme_bytes =
      Arena::round_up(static_cast<std::size_t>(windows.height) *
                      static_cast<std::size_t>(windows.line_columns()) * sizeof(std::int32_t));
  const auto block = static_cast<std::size_t>(state->block);
  state->lane_bytes = Arena::round_up(rows_bytes(state->products[0], block));
  if (geometry.interleaves())
    state->lane_bytes +=
        Arena::round_up(block * static_cast<std::size_t>(geometry.columns()) * sizeof(float));
  build.scratch_bytes =
      2 * state->extreme_bytes + static_cast<std::size_t>(state->lanes) * state->lane_bytes;
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

// One picture of the batch.
struct Picture {
  const State& state;
  const simd::Kernels& kernels;
  simd::Windows windows;
  std::byte* lanes;  // of the scratch
  float* output;
  int output_height, output_width;
};

// Puts one row of phases of `count` windows from `first` on, [windows, columns], in its place.
void interleave(const Picture& picture, std::int64_t first, std::int64_t count, int phase_row,
                const float* columns) {
  const Geometry& geometry = picture.state.geometry;
  const std::int64_t row_floats = std::int64_t{picture.output_width} * geometry.outputs;
  const std::int64_t cropped = std::int64_t{geometry.crop_left} * geometry.outputs;
  for (std::int64_t end = first + count; first < end;) {
    const std::int64_t x = first % geometry.across;
    const std::int64_t windows = std::min(geometry.across - x, end - first);
    const std::int64_t y =
        first / geometry.across * geometry.phase_rows + phase_row - geometry.crop_top;
    const std::int64_t from = x * geometry.columns() - cropped;
    const std::int64_t begin = std::max<std::int64_t>(from, 0);
    const std::int64_t stop = std::min(from + windows * geometry.columns(), row_floats);
    if (y >= 0 && y < picture.output_height && begin < stop)
      std::copy_n(columns + (begin - from), stop - begin, picture.output + y * row_floats + begin);
    columns += windows * geometry.columns();
    first += windows;
  }
}

void run_block(const Picture& picture, std::size_t lane, std::int64_t first, std::int64_t count) {
  const State& state = picture.state;
  const MatrixProduct& product = state.products[0];
  std::byte* scratch = picture.lanes + lane * state.lane_bytes;
  const IntegerRows rows = integer_rows(product, static_cast<std::size_t>(state.block), scratch);
  picture.kernels.quantize_windows({picture.windows, first, static_cast<int>(count), rows.integers,
                                    rows.stride, rows.steps, rows.least});
  const MatrixRows x{nullptr, 0, rows.integers, rows.stride, rows.steps, rows.least};
  if (!state.geometry.interleaves()) {
    run_matrix_product(product, static_cast<std::size_t>(count), x,
                       picture.output + first * state.geometry.outputs, nullptr);
    return;
  }
  auto* columns = reinterpret_cast<float*>(
      scratch + Arena::round_up(rows_bytes(product, static_cast<std::size_t>(state.block))));
  for (int row = 0; row < state.geometry.phase_rows; ++row) {
    run_matrix_product(state.products[row], static_cast<std::size_t>(count), x, columns, nullptr);
    interleave(picture, first, count, row, columns);
  }
}

void find_extremes(void* context, std::size_t first, std::size_t count) {
  const Picture& picture = *static_cast<const Picture*>(context);
  picture.kernels.find_extremes(picture.windows, static_cast<int>(first),
                                static_cast<int>(first + count));
}

// Every lanes-th block.
void run_lane(void* context, std::size_t lane) {
  const Picture& picture = *static_cast<const Picture*>(context);
  const State& state = picture.state;
  const std::int64_t windows = std::int64_t{state.geometry.down} * state.geometry.across;
  for (std::int64_t first = static_cast<std::int64_t>(lane) * state.block; first < windows;
       first += state.block * state.lanes)
    run_block(picture, lane, first, std::min(state.block, windows - first));
}

// On one thread: the extremes of a row just before the first window that reaches it, which reads it
// again while it is in the cache.
void run_alone(const Picture& picture) {
  const State& state = picture.state;
  const Geometry& geometry = state.geometry;
  const math::Window& window = geometry.window;
  const std::int64_t windows = std::int64_t{geometry.down} * geometry.across;
  int found = 0;
  for (std::int64_t first = 0; first < windows; first += state.block) {
    const std::int64_t count = std::min(state.block, windows - first);
    const std::int64_t reach = (first + count - 1) / geometry.across * window.stride_height -
                               window.pad_top +
                               std::int64_t{window.kernel_height - 1} * window.dilation_height + 1;
    const int end =
        static_cast<int>(std::clamp<std::int64_t>(reach, found, picture.windows.height));
    picture.kernels.find_extremes(picture.windows, found, end);
    found = end;
    run_block(picture, 0, first, count);
  }
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const Shape& in = operation.in(0).shape;
  const Shape& out = operation.out().shape;
  Picture picture{state,
                  simd::kernels(),
                  windows_of(state.geometry, in),
                  operation.scratch + 2 * state.extreme_bytes,
                  operation.out().floats(),
                  out[1],
                  out[2]};
  picture.windows.highest = reinterpret_cast<std::int32_t*>(operation.scratch);
  picture.windows.lowest =
      reinterpret_cast<std::uint32_t*>(operation.scratch + state.extreme_bytes);
  picture.windows.picture = operation.in(0).floats();
  for (int n = 0; n < in[0]; ++n) {
    if (state.lanes == 1) {
      run_alone(picture);
    } else {
      pthreadpool_parallelize_1d_tile_1d(operation.threads, find_extremes, &picture,
                                         static_cast<std::size_t>(in[1]), kRowsPerTask,
                                         /*flags=*/0);
      pthreadpool_parallelize_1d(operation.threads, run_lane, &picture,
                                 static_cast<std::size_t>(state.lanes), /*flags=*/0);
    }
    picture.windows.picture += std::int64_t{in[1]} * in[2] * in[3];
    picture.output += std::int64_t{out[1]} * out[2] * out[3];
  }
  return true;
}

Cost cost(const Operation& operation) {
  const Geometry geometry = geometry_of(operation);
  const double windows =
      static_cast<double>(operation.in(0).shape[0]) * geometry.down * geometry.across;
  const double columns =
      static_cast<double>(geometry.phase_rows) * static_cast<double>(geometry.columns());
  return matrix_cost(operation.in(1), windows, columns, static_cast<double>(geometry.depth())) +
         kExtremeCost * static_cast<double>(operation.in(0).elements()) +
         (geometry.interleaves() ? kInterleaveCost * windows * columns : 0);
}

}  // namespace

const Way kWindowsWay{"im2col + gemm", {accepts, create, bind, run}, cost};

}  // namespace figment::xnnpack
