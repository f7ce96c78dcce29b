// Resize: every way is linear in x. Output pixel (i, j) is the sum of down[i][u] * across[j][v] *
// x[row u of i][column v of j]; so each pixel of dy is given back across first, into a row as wide
// as x, and that row down to the rows that it came from.
#include <algorithm>

#include "runtime/ops/resize.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

using format::ResizeMode;
using ops::CubicTaps;

// How many places an output place is made of.
int tap_count(const format::Resize& options) {
  switch (options.mode()) {
    case ResizeMode::Nearest:
      return 1;
    case ResizeMode::Linear:
      return 2;
    case ResizeMode::Cubic:
      break;
  }
  return 4;
}

CubicTaps taps_of(const format::Resize& options, int i, int input, int output, float scale) {
  if (options.mode() == ResizeMode::Cubic) return ops::cubic_taps(options, i, input, output, scale);
  const ops::ResizeSource source = ops::resize_source(options, i, input, output, scale);
  return {{source.first, source.second}, {1.0F - source.weight, source.weight}};
}

// The taps of every output column.
std::size_t taps_bytes(const Call& call) {
  constexpr std::size_t kLine = 64;
  const std::size_t bytes =
      static_cast<std::size_t>(call.as<format::Resize>().width()) * sizeof(CubicTaps);
  return (bytes + kLine - 1) / kLine * kLine;
}

// And a row as wide as x for each thread.
std::size_t scratch_bytes(const Call& call) {
  const Shape& x = call.in(0).shape;
  return taps_bytes(call) + thread_count(call.operation.threads) * static_cast<std::size_t>(x[2]) *
                                static_cast<std::size_t>(x[3]) * sizeof(float);
}

Reads reads(const Call&, Inputs) { return {}; }

// to[i] += weight * from[i]
void add_weighted(const float* from, float weight, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += weight * from[i];
}

// Each picture is one thread's.
void backward(const Call& call) {
  const auto& options = call.as<format::Resize>();
  const Shape& x = call.in(0).shape;
  const std::int64_t channels = x[3];
  const std::int64_t row_floats = x[2] * channels;
  const int taps = tap_count(options);
  auto* across = reinterpret_cast<CubicTaps*>(call.operation.scratch);
  auto* rows = reinterpret_cast<float*>(call.operation.scratch + taps_bytes(call));
  for (int column = 0; column < options.width(); ++column)
    across[column] = taps_of(options, column, x[2], options.width(), options.scale_width());
  const std::int64_t output_row = options.width() * channels;
  const auto give = [&](std::size_t thread, std::int64_t first, std::int64_t last) {
    float* row = rows + static_cast<std::int64_t>(thread) * row_floats;
    for (std::int64_t n = first; n < last; ++n) {
      float* dx = call.gradient(0) + n * x[1] * row_floats;
      std::fill_n(dx, x[1] * row_floats, 0.0F);
      for (int y = 0; y < options.height(); ++y) {
        const float* dy = call.output_gradient + (n * options.height() + y) * output_row;
        std::fill_n(row, row_floats, 0.0F);
        for (int column = 0; column < options.width(); ++column)
          for (int tap = 0; tap < taps; ++tap)
            add_weighted(dy + column * channels, across[column].weight[tap], channels,
                         row + across[column].place[tap] * channels);
        const CubicTaps down = taps_of(options, y, x[1], options.height(), options.scale_height());
        for (int tap = 0; tap < taps; ++tap)
          add_weighted(row, down.weight[tap], row_floats, dx + down.place[tap] * row_floats);
      }
    }
  };
  share(call.out().elements() < kWorthSharing ? nullptr : call.operation.threads, x[0], give);
}

}  // namespace

extern const BackwardRoom kResize;
const BackwardRoom kResize{
    .differentiable = input_bit(0),
    .reads = reads,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
};

}  // namespace figment::train
