// Winograd's convolution (winograd.cc) with products of integers: for int8 weights, where products
// of all taps as integers take longer than a quarter of them.
//
// Every point of a tile is a row of integers around 0 with a step of its own; every point of an
// output channel is a row of integers with a scale of its own. What comes out is less exact than
// products of all taps: transforms make noise of rounding two to three times as large.
#include <pthreadpool.h>

#include <algorithm>
#include <cstring>

#include "runtime/xnnpack/packed_weights.h"
#include "runtime/xnnpack/ways.h"
#include "runtime/xnnpack/winograd_weights.h"

namespace figment::xnnpack {
namespace {

struct State {
  WinogradGeometry geometry;
  WinogradTiling tiling;
  std::int64_t block;  // tiles at a time
  std::int64_t lanes;  // threads, each of which takes every lanes-th block
  const std::byte* weights;
  std::int64_t weight_bytes;  // of a point
  std::int64_t quads;
  Fused fused;
  const float* bias;  // or null
};

// What one lane works with.
struct Scratch {
  float* tile;             // [points, inputs]
  float* products;         // [points, block, columns], points point_floats() apart
  float* steps;            // [points, block]
  std::uint8_t* integers;  // [points, block, 4 * quads]
};

std::int64_t point_floats(const State& state) {
  return state.block * state.geometry.columns() + kPointGap;
}

// Gives `memory` as a lane's scratch, and how many bytes that is.
std::size_t lay_out(const State& state, std::byte* memory, Scratch& scratch) {
  const auto points = static_cast<std::size_t>(state.tiling.points());
  const auto block = static_cast<std::size_t>(state.block);
  std::size_t at = 0;
  const auto take = [&](std::size_t bytes) {
    std::byte* begin = memory + at;
    at += Arena::round_up(bytes);
    return begin;
  };
  scratch.tile = reinterpret_cast<float*>(
      take(points * static_cast<std::size_t>(state.geometry.inputs) * sizeof(float)));
  scratch.products = reinterpret_cast<float*>(
      take(points * static_cast<std::size_t>(point_floats(state)) * sizeof(float)));
  scratch.steps = reinterpret_cast<float*>(take(points * block * sizeof(float)));
  scratch.integers = reinterpret_cast<std::uint8_t*>(
      take(points * block * 4 * static_cast<std::size_t>(state.quads)));
  return at;
}

template <int kWidth>
bool accepts(const Operation& operation) {
  return operation.in(1).type == DataType::kInt8 && has_packable_weights(operation) &&
         simd::kernels().multiply_centered != nullptr && winograd_suits(operation, kWidth);
}

std::int64_t most_tiles(const WinogradGeometry& geometry, const WinogradTiling& tiling) {
  const std::int64_t tile_bytes =
      tiling.points() *
      (geometry.inputs + geometry.columns() * static_cast<std::int64_t>(sizeof(float)));
  return std::max(kPointBytes / tile_bytes, kLeastTiles);
}

template <int kWidth>
Cost cost(const Operation& operation) {
  const WinogradGeometry geometry = winograd_geometry(operation);
  const WinogradTiling tiling = winograd_tiling(geometry, kWidth);
  const double tiles = static_cast<double>(operation.in(0).shape[0]) * tiling.down * tiling.across;
  const double columns = geometry.columns();
  const double points = tiling.points();
  const double blocks = __builtin_ceil(tiles / static_cast<double>(most_tiles(geometry, tiling)));
  const Cost products =
      points * product_cost(tiles, columns, geometry.inputs) / simd::kernels().int8_speed;
  const Cost reading = blocks * weights_cost(points * columns * geometry.inputs);
  return kWinogradPrice *
         (std::max(products, reading) + points * integers_cost(tiles, columns, geometry.inputs) +
          tiles * winograd_transform_cost(geometry, tiling));
}

Status pack_weights(const Operation& operation, State& state, Build& build) {
  const WinogradGeometry& geometry = state.geometry;
  const simd::PackingInt8 packing(simd::kernels(), geometry.columns(), geometry.inputs);
  const auto points = static_cast<std::size_t>(state.tiling.points());
  const std::size_t bytes = points * static_cast<std::size_t>(packing.bytes());
  const PackedMemory memory = build.packed.take(bytes);
  if (memory.bytes == nullptr) return backend_error({"the arena is full"});
  state.weights = memory.bytes;
  state.weight_bytes = packing.bytes();
  state.quads = packing.quads;
  if (memory.filled) return {};
  const auto inputs = static_cast<std::size_t>(geometry.inputs);
  auto* column = static_cast<float*>(build.arena.borrow(points * inputs * sizeof(float)));
  if (column == nullptr) return backend_error({"the arena is full"});
  std::memset(memory.bytes, 0, bytes);
  transform_weights(operation, geometry, state.tiling, packing, column, memory.bytes);
  build.arena.give_back();
  return {};
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
  FIG_TRY(pack_weights(operation, *state, build));
  const std::int64_t tiles =
      std::int64_t{operation.in(0).shape[0]} * state->tiling.down * state->tiling.across;
  const TileShares shares =
      share_tiles(tiles, most_tiles(state->geometry, state->tiling), operation.threads);
  state->lanes = shares.lanes;
  state->block = shares.block;
  Scratch scratch;
  build.scratch_bytes = static_cast<std::size_t>(state->lanes) * lay_out(*state, nullptr, scratch);
  return {};
}

bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

struct Run {
  const State& state;
  const simd::Kernels& kernels;
  simd::WinogradInput input;  // all but the tiles and where points stand
  simd::WinogradOutput output;
  std::int64_t tiles;
  std::byte* memory;
};

void run_block(const Run& run, const Scratch& scratch, std::int64_t first, int count) {
  const State& state = run.state;
  const int points = state.tiling.points();
  const int inputs = state.geometry.inputs;
  const std::int64_t stride = 4 * state.quads;
  // One tile at a time, whose points stay near.
  simd::WinogradInput input = run.input;
  input.points = scratch.tile;
  input.point_stride = inputs;
  input.tiles.count = 1;
  for (int tile = 0; tile < count; ++tile) {
    input.tiles.first = static_cast<int>(first) + tile;
    run.kernels.winograd_input(input);
    run.kernels.quantize_centered({scratch.tile, inputs, scratch.integers + tile * stride,
                                   state.block * stride, state.block, scratch.steps + tile, points,
                                   inputs});
  }
  simd::ProductInt8 product{};
  product.a_stride = stride;
  product.c_stride = product.columns = state.geometry.columns();
  product.rows = count;
  product.quads = static_cast<int>(state.quads);
  for (int point = 0; point < points; ++point) {
    product.a = scratch.integers + point * state.block * stride;
    product.steps = scratch.steps + point * state.block;
    product.b = state.weights + point * state.weight_bytes;
    product.c = scratch.products + point * point_floats(state);
    run.kernels.multiply_centered(product);
  }
  simd::WinogradOutput output = run.output;
  output.tiles.first = static_cast<int>(first);
  output.tiles.count = count;
  output.points = scratch.products;
  run.kernels.winograd_output(output);
}

void run_lane(void* context, std::size_t lane) {
  const Run& run = *static_cast<const Run*>(context);
  const State& state = run.state;
  Scratch scratch;
  const std::size_t bytes = lay_out(state, run.memory, scratch);
  lay_out(state, run.memory + lane * bytes, scratch);
  for (std::int64_t first = static_cast<std::int64_t>(lane) * state.block; first < run.tiles;
       first += state.block * state.lanes)
    run_block(run, scratch, first, static_cast<int>(std::min(state.block, run.tiles - first)));
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const Shape& in = operation.in(0).shape;
  WinogradTasks tasks =
      winograd_tasks(operation, state.geometry, state.tiling, state.bias, state.fused);
  tasks.output.point_stride = point_floats(state);
  Run whole{state,
            simd::kernels(),
            tasks.input,
            tasks.output,
            std::int64_t{in[0]} * state.tiling.down * state.tiling.across,
            operation.scratch};
  pthreadpool_parallelize_1d(state.lanes > 1 ? operation.threads : nullptr, run_lane, &whole,
                             static_cast<std::size_t>(state.lanes), /*flags=*/0);
  return true;
}

}  // namespace

const Way kSmallWinogradInt8{"winograd 4x4 int8", {accepts<4>, create<4>, bind, run}, cost<4>};
const Way kLargeWinogradInt8{"winograd 6x6 int8", {accepts<6>, create<6>, bind, run}, cost<6>};

}  // namespace figment::xnnpack
