// The choice among the ways to run an operator.
#include "runtime/xnnpack/ways.h"

#include <algorithm>

#include "runtime/simd/kernels.h"

namespace figment::xnnpack {
namespace {

struct State {
  const Way* way;
  void* state;
};

// What follows was measured on a Xeon with AVX-512 (tests/bench/conv_transpose_sweep --all-ways).

// Bytes of weights that stay near from one run to the next, and the multiply-adds of each of 16
// lanes in which one that does not is read.
constexpr double kCacheBytes = 1e6;
constexpr double kByteCost = 3;
// From so many on, the processor no longer knows where they lie: twice the time.
constexpr double kFarBytes = 16e6;
// A number made an integer, and a sum of integers made a number.
constexpr double kQuantizeCost = 4;
constexpr double kSumCost = 14;

}  // namespace

std::span<const char* const> way_names() {
  static constexpr const char* kNames[] = {
      "xnnpack",      "gemm",         "gemm + col2im",     "im2col + gemm",    "gemm by phases",
      "winograd 4x4", "winograd 6x6", "winograd 4x4 int8", "winograd 6x6 int8"};
  return kNames;
}

bool any_way_accepts(std::span<const Way* const> ways, const Operation& operation) {
  for (const Way* way : ways)
    if (way->room.accepts(operation)) return true;
  return false;
}

Status create_best(std::span<const Way* const> ways, const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{nullptr, nullptr};
  Cost least = 0;
  for (const Way* way : ways) {
    if (!way->room.accepts(operation)) continue;
    const Cost cost = build.wish == way->name ? 0 : way->cost(operation);
    if (state->way != nullptr && cost >= least) continue;
    state->way = way;
    least = cost;
  }
  build.lowering = state->way->name;
  FIG_TRY(state->way->room.create(operation, build));
  state->state = build.state;
  build.state = state;
  return {};
}

bool bind_way(const Operation& operation, void* state) {
  const State& chosen = *static_cast<State*>(state);
  return chosen.way->room.bind(operation, chosen.state);
}

bool run_way(const Operation& operation, void* state) {
  const State& chosen = *static_cast<State*>(state);
  return chosen.way->room.run(operation, chosen.state);
}

Cost product_cost(double rows, double columns, double depth) {
  const double lanes = simd::kernels().lanes;
  return rows * depth * lanes * __builtin_ceil(columns / lanes);
}

Cost weights_cost(double bytes) {
  if (bytes < kCacheBytes) return 0;
  return kByteCost * simd::kernels().lanes / 16 * (bytes + std::max(bytes - kFarBytes, 0.0));
}

Cost matrix_cost(const Tensor& weights, double rows, double columns, double depth) {
  const Cost floats = product_cost(rows, columns, depth);
  if (weights.type != DataType::kInt8)
    return std::max(floats, weights_cost(columns * depth * sizeof(float)));
  return std::max(floats / simd::kernels().int8_speed, weights_cost(columns * depth)) +
         integers_cost(rows, columns, depth);
}

Cost integers_cost(double rows, double columns, double depth) {
  return kSumCost * rows * columns + kQuantizeCost * rows * depth;
}

}  // namespace figment::xnnpack
