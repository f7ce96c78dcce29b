// A convolution with int8 weights as the definition has it: what each window sees becomes a row of
// integers (im2col), and the rows' product with the weights is the output.
#include <pthreadpool.h>

#include <algorithm>

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
// What a number of the input costs to be looked at.
constexpr double kExtremeCost = 2;
// The product beside matrix_cost(): its rows come from the second-level cache. Measured with
// AVX-512 VNNI; with less, windows were chosen that took a fifth longer than Winograd's tiles.
constexpr double kWindowsCost = 1.3;

struct State {
  MatrixProduct product;
  // Blocks of windows that run side by side, each in a part of the scratch.
  std::int64_t windows, block;
  std::int64_t lanes;
  std::size_t extreme_bytes, lane_bytes;
};

// All but the picture and its extremes.
simd::Windows windows_of(const Operation& operation) {
  const Kernel kernel = kernel_of(operation);
  const Shape& in = operation.in(0).shape;
  const auto& options = operation.as<format::Conv2D>();
  return {nullptr,
          in[1],
          in[2],
          in[3],
          kernel.height,
          kernel.width,
          options.stride_height(),
          options.stride_width(),
          options.dilation_height(),
          options.dilation_width(),
          options.pad_top(),
          options.pad_left(),
          operation.out().shape[2],
          nullptr,
          nullptr};
}

std::int64_t depth_of(const Operation& operation) {
  return operation.in(1).elements() / operation.in(1).shape[0];
}

bool accepts(const Operation& operation) {
  if (operation.in(1).type != DataType::kInt8 || !has_packable_weights(operation) ||
      operation.as<format::Conv2D>().groups() != 1)
    return false;
  // The scratch is another than what the border has bounded.
  const simd::Windows windows = windows_of(operation);
  const auto most = static_cast<double>(kMaxElements) / 4;
  return static_cast<double>(windows.height) * windows.line_columns() <= most / 4 &&
         static_cast<double>(kLeastBlock * depth_of(operation)) <= most;
}

Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{};
  build.state = state;
  const Tensor& weights = operation.in(1);
  const std::int64_t depth = depth_of(operation);
  const std::size_t outputs = extent(weights, 0);
  const Limits limits = fuse_limits(build);
  FIG_TRY(create_matrix_product({outputs, static_cast<std::size_t>(depth), outputs},
                                matrix_weights(weights, weights.shape[0], build),
                                bias_of(operation, 2), limits, build, state->product));
  const Shape& out = operation.out().shape;
  state->windows = std::int64_t{out[1]} * out[2];
  state->lanes = 1;
  if (operation.threads != nullptr)
    state->lanes =
        std::min(static_cast<std::int64_t>(pthreadpool_get_threads_count(operation.threads)),
                 (state->windows + kLeastBlock - 1) / kLeastBlock);
  // Blocks as even as can be, the same number for every thread.
  const std::int64_t most = std::max(kBlockBytes / depth, kLeastBlock) * state->lanes;
  const std::int64_t blocks = (state->windows + most - 1) / most * state->lanes;
  state->block = (state->windows + blocks - 1) / blocks;
  const simd::Windows windows = windows_of(operation);
  state->extreme_bytes =
      Arena::round_up(static_cast<std::size_t>(windows.height) *
                      static_cast<std::size_t>(windows.line_columns()) * sizeof(std::int32_t));
  state->lane_bytes =
      Arena::round_up(rows_bytes(state->product, static_cast<std::size_t>(state->block)));
  build.scratch_bytes =
      2 * state->extreme_bytes + static_cast<std::size_t>(state->lanes) * state->lane_bytes;
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

// One picture of the batch.
struct Picture {
  const State& state;
  simd::Windows windows;
  std::byte* lanes;  // of the scratch
  float* output;
  std::int64_t outputs;
};

void run_block(const Picture& picture, std::int64_t lane, std::int64_t first, std::int64_t count) {
  const State& state = picture.state;
  std::byte* scratch = picture.lanes + static_cast<std::size_t>(lane) * state.lane_bytes;
  const auto rows = static_cast<std::size_t>(count);
  const IntegerRows to = integer_rows(state.product, rows, scratch);
  state.product.kernels->quantize_windows({picture.windows, first, static_cast<int>(count),
                                           to.integers, to.stride, to.steps, to.least});
  run_matrix_product(state.product, rows, {nullptr, 0, to.integers, to.stride, to.steps, to.least},
                     picture.output + first * picture.outputs, nullptr);
}

void find_extremes(void* context, std::size_t first, std::size_t count) {
  const Picture& picture = *static_cast<const Picture*>(context);
  picture.state.product.kernels->find_extremes(picture.windows, static_cast<int>(first),
                                               static_cast<int>(first + count));
}

// Every lanes-th block.
void run_lane(void* context, std::size_t index) {
  const Picture& picture = *static_cast<const Picture*>(context);
  const State& state = picture.state;
  const auto lane = static_cast<std::int64_t>(index);
  for (std::int64_t first = lane * state.block; first < state.windows;
       first += state.block * state.lanes)
    run_block(picture, lane, first, std::min(state.block, state.windows - first));
}

// On one thread: the extremes of a row just before the first window that reaches it, which reads it
// again while it is in the cache.
void run_alone(const Picture& picture) {
  const State& state = picture.state;
  const simd::Windows& windows = picture.windows;
  int found = 0;
  for (std::int64_t first = 0; first < state.windows; first += state.block) {
    const std::int64_t count = std::min(state.block, state.windows - first);
    const std::int64_t reach = (first + count - 1) / windows.across * windows.stride_height -
                               windows.pad_top +
                               std::int64_t{windows.kernel_height - 1} * windows.dilation_height;
    const int end = static_cast<int>(std::clamp<std::int64_t>(reach + 1, found, windows.height));
    state.product.kernels->find_extremes(windows, found, end);
    found = end;
    run_block(picture, 0, first, count);
  }
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const Shape& in = operation.in(0).shape;
  const std::int64_t outputs = operation.out().shape[3];
  Picture picture{state, windows_of(operation), operation.scratch + 2 * state.extreme_bytes,
                  operation.out().floats(), outputs};
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
    picture.output += state.windows * outputs;
  }
  return true;
}

Cost cost(const Operation& operation) {
  const Shape& out = operation.out().shape;
  return kWindowsCost * matrix_cost(operation.in(1), static_cast<double>(out[0]) * out[1] * out[2],
                                    out[3], static_cast<double>(depth_of(operation))) +
         kExtremeCost * static_cast<double>(operation.in(0).elements());
}

}  // namespace

const Way kWindowsWay{"im2col + gemm", {accepts, create, bind, run}, cost};

}  // namespace figment::xnnpack
