// SpaceToDepth: every number of dy goes back to where x's stood.
#include <cstring>

#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

void backward(const Call& call) {
  const std::int64_t block = call.as<format::SpaceToDepth>().block();
  const Shape& out = call.out().shape;
  const std::int64_t run = block * call.in(0).shape[3];  // floats of one block row
  const auto move_rows = [&](std::size_t, std::int64_t first, std::int64_t last) {
    const float* dy = call.output_gradient + first * out[2] * out[3];
    for (std::int64_t row = first; row < last; ++row)
      for (std::int64_t column = 0; column < out[2]; ++column)
        for (std::int64_t y = 0; y < block; ++y, dy += run)
          std::memcpy(call.gradient(0) + ((row * block + y) * out[2] + column) * run, dy,
                      static_cast<std::size_t>(run) * sizeof(float));
  };
  share(call.in(0).elements() < kWorthSharing ? nullptr : call.operation.threads,
        std::int64_t{out[0]} * out[1], move_rows);
}

}  // namespace

extern const BackwardRoom kSpaceToDepth;
const BackwardRoom kSpaceToDepth{
    .differentiable = input_bit(0),
    .reads = reads,
    .backward = backward,
};

}  // namespace figment::train
