// Convolutions by Winograd's tiles: an input tile of n x n pixels becomes n x n points, each point
// is one matrix product over all tiles, and n x n products become a tile of outputs. For 3 x 3 taps
// and 6 x 6 points that is a quarter of the multiply-adds.
#include <pthreadpool.h>

#include <algorithm>

#include "runtime/xnnpack/matrix_product.h"
#include "runtime/xnnpack/ways.h"
#include "runtime/xnnpack/winograd_weights.h"

namespace figment::xnnpack {
namespace {

// Tiles that one thread transforms at a time.
constexpr std::size_t kTilesPerTask = 4;

struct State {
  WinogradGeometry geometry;
  WinogradTiling tiling;
  std::int64_t block;  // tiles at a time
  // Blocks that run side by side, each in a part of the scratch: the threads, where products keep
  // no state; else 1, and threads share each block.
  std::int64_t lanes;
  MatrixProduct* products;
  Fused fused;
  const float* bias;  // or null
};

// Tiles whose points are held at a time.
std::int64_t most_tiles(const WinogradGeometry& geometry, const WinogradTiling& tiling) {
  const std::int64_t tile_bytes =
      std::int64_t{tiling.points()} *
      (geometry.inputs + std::int64_t{geometry.phases()} * geometry.outputs) *
      std::int64_t{sizeof(float)};
  return std::max(kPointBytes / tile_bytes, kLeastTiles);
}

Cost cost_of(const Operation& operation, const WinogradGeometry& geometry,
             const WinogradTiling& tiling) {
  const double tiles = static_cast<double>(operation.in(0).shape[0]) * tiling.down * tiling.across;
  const double outputs = static_cast<double>(geometry.phases()) * geometry.outputs;
  const Cost products = tiling.points() * product_cost(tiles, outputs, geometry.inputs);
  // Each block of tiles reads all weights.
  const double blocks = __builtin_ceil(tiles / static_cast<double>(most_tiles(geometry, tiling)));
  const Cost reading =
      blocks * weights_cost(tiling.points() * outputs * geometry.inputs * sizeof(float));
  const Cost transforms = tiles * winograd_transform_cost(geometry, tiling);
  return kWinogradPrice * (std::max(products, reading) + transforms);
}

template <int kWidth>
bool accepts(const Operation& operation) {
  return has_packable_weights(operation) && winograd_suits(operation, kWidth);
}

template <int kWidth>
Cost cost(const Operation& operation) {
  const WinogradGeometry geometry = winograd_geometry(operation);
  return cost_of(operation, geometry, winograd_tiling(geometry, kWidth));
}

Status create_products(const Operation& operation, State& state, Build& build) {
  const auto outputs = std::int64_t{state.geometry.phases()} * state.geometry.outputs;
  const std::int64_t inputs = state.geometry.inputs;
  const MatrixProductShape shape{static_cast<std::size_t>(outputs),
                                 static_cast<std::size_t>(inputs),
                                 static_cast<std::size_t>(outputs)};
  const int points = state.tiling.points();
  Arena& arena = build.arena;
  state.products = arena.allocate_array<MatrixProduct>(static_cast<std::size_t>(points));
  if (state.products == nullptr) return backend_error({"the arena is full"});
  const simd::Kernels& kernels = simd::kernels();
  if (kernels.beats_libraries) {
    const simd::Packing packing(kernels, outputs, inputs);
    const auto floats = static_cast<std::size_t>(points * packing.floats());
    const PackedMemory memory = build.packed.take(floats * sizeof(float));
    if (memory.bytes == nullptr) return backend_error({"the arena is full"});
    auto* packed = reinterpret_cast<float*>(memory.bytes);
    if (!memory.filled) {
      std::fill_n(packed, floats, 0.0f);
      transform_weights(operation, state.geometry, state.tiling, &packing, packed);
    }
    for (int point = 0; point < points; ++point)
      state.products[point] =
          packed_matrix_product(shape, packed + point * packing.floats(), Limits{});
    return {};
  }
  const std::int64_t floats = outputs * inputs;
  auto* matrices =
      static_cast<float*>(arena.borrow(static_cast<std::size_t>(points * floats) * sizeof(float)));
  if (matrices == nullptr) return backend_error({"the arena is full"});
  if (!build.packed.from_file())
    transform_weights(operation, state.geometry, state.tiling, nullptr, matrices);
  Status status;
  for (int point = 0; status.ok() && point < points; ++point)
    status = create_matrix_product(shape, {matrices + point * floats, nullptr, nullptr, 0}, nullptr,
                                   Limits{}, build, state.products[point]);
  arena.give_back();
  return status;
}

std::int64_t input_floats(const State& state) {
  return state.block * state.geometry.inputs + kPointGap;
}
std::int64_t output_floats(const State& state) {
  return state.block * state.geometry.phases() * state.geometry.outputs + kPointGap;
}

std::int64_t lane_floats(const State& state) {
  return state.tiling.points() * (input_floats(state) + output_floats(state));
}

template <int kWidth>
Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{};
  build.state = state;
  state->geometry = winograd_geometry(operation);
  state->tiling = winograd_tiling(state->geometry, kWidth);
  state->fused = fuse_into_loop(build);
  FIG_TRY(keep_bias(operation, build, state->bias));
  FIG_TRY(create_products(operation, *state, build));
  const std::int64_t tiles =
      std::int64_t{operation.in(0).shape[0]} * state->tiling.down * state->tiling.across;
  const TileShares shares =
      share_tiles(tiles, most_tiles(state->geometry, state->tiling),
                  simd::kernels().beats_libraries ? operation.threads : nullptr);
  state->lanes = shares.lanes;
  state->block = shares.block;
  build.scratch_bytes =
      static_cast<std::size_t>(state->lanes * lane_floats(*state)) * sizeof(float);
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

// Some tiles, and where their points stand.
struct Block {
  const State& state;
  const simd::Kernels& kernels;
  pthreadpool* threads;  // that share this block; null: none
  simd::WinogradInput input;
  simd::WinogradOutput output;
  bool failed = false;
};

void transform_inputs(void* context, std::size_t first, std::size_t count) {
  const Block& block = *static_cast<const Block*>(context);
  simd::WinogradInput part = block.input;
  part.tiles.first += static_cast<int>(first);
  part.tiles.count = static_cast<int>(count);
  part.points += static_cast<std::int64_t>(first) * part.channels;
  block.kernels.winograd_input(part);
}

void multiply_point(void* context, std::size_t point) {
  Block& block = *static_cast<Block*>(context);
  const auto offset = static_cast<std::int64_t>(point);
  float* products = const_cast<float*>(block.output.points) + offset * block.output.point_stride;
  if (!run_matrix_product(
          block.state.products[point], static_cast<std::size_t>(block.input.tiles.count),
          block.input.points + offset * block.input.point_stride, products, nullptr))
    block.failed = true;
}

void transform_outputs(void* context, std::size_t first, std::size_t count) {
  const Block& block = *static_cast<const Block*>(context);
  simd::WinogradOutput part = block.output;
  part.tiles.first += static_cast<int>(first);
  part.tiles.count = static_cast<int>(count);
  part.points += static_cast<std::int64_t>(first) * block.state.geometry.phases() * part.channels;
  block.kernels.winograd_output(part);
}

void run_block(Block& block) {
  const auto tiles = static_cast<std::size_t>(block.input.tiles.count);
  const std::size_t share = block.threads == nullptr ? tiles : kTilesPerTask;
  pthreadpool_parallelize_1d_tile_1d(block.threads, transform_inputs, &block, tiles, share, 0);
  pthreadpool_parallelize_1d(block.threads, multiply_point, &block,
                             static_cast<std::size_t>(block.state.tiling.points()), 0);
  pthreadpool_parallelize_1d_tile_1d(block.threads, transform_outputs, &block, tiles, share, 0);
}

struct Run {
  const Block& first;  // with the scratch of the first lane
  std::int64_t tiles;  // in all
};

// Every lanes-th block, in one part of the scratch.
void run_lane(void* context, std::size_t lane) {
  const Run& run = *static_cast<const Run*>(context);
  Block block = run.first;
  const State& state = block.state;
  const std::int64_t offset = static_cast<std::int64_t>(lane) * lane_floats(state);
  block.input.points += offset;
  block.output.points += offset;
  const std::int64_t step = state.block * state.lanes;
  for (std::int64_t first = static_cast<std::int64_t>(lane) * state.block; first < run.tiles;
       first += step) {
    block.input.tiles.first = block.output.tiles.first = static_cast<int>(first);
    block.input.tiles.count = block.output.tiles.count =
        static_cast<int>(std::min(state.block, run.tiles - first));
    run_block(block);
  }
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const WinogradTiling& tiling = state.tiling;
  auto* points = reinterpret_cast<float*>(operation.scratch);
  WinogradTasks tasks = winograd_tasks(operation, state.geometry, tiling, state.bias, state.fused);
  tasks.input.points = points;
  tasks.input.point_stride = input_floats(state);
  tasks.output.points = points + tiling.points() * input_floats(state);
  tasks.output.point_stride = output_floats(state);
  Block block{state, simd::kernels(), nullptr, tasks.input, tasks.output};
  Run whole{block, std::int64_t{operation.in(0).shape[0]} * tiling.down * tiling.across};
  if (state.lanes > 1) {
    pthreadpool_parallelize_1d(operation.threads, run_lane, &whole,
                               static_cast<std::size_t>(state.lanes), 0);
    return true;
  }
  block.threads = operation.threads;
  for (std::int64_t first = 0; first < whole.tiles; first += state.block) {
    block.input.tiles.first = block.output.tiles.first = static_cast<int>(first);
    block.input.tiles.count = block.output.tiles.count =
        static_cast<int>(std::min(state.block, whole.tiles - first));
    run_block(block);
    if (block.failed) return false;
  }
  return true;
}

}  // namespace

const Way kSmallWinograd{"winograd 4x4", {accepts<4>, create<4>, bind, run}, cost<4>};
const Way kLargeWinograd{"winograd 6x6", {accepts<6>, create<6>, bind, run}, cost<6>};

}  // namespace figment::xnnpack
