// DepthToSpace: every number of dy goes back to where x's stood.
#include <cstring>

#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

void backward(const Call& call) {
  const auto& options = call.as<format::DepthToSpace>();
  const Shape& x = call.in(0).shape;
  const std::int64_t block = options.block();
  const std::int64_t channels = call.out().shape[3];
  const std::int64_t run = block * channels;  // floats of one block row
  const auto move_rows = [&](std::size_t, std::int64_t first, std::int64_t last) {
    float* pixel = call.gradient(0) + first * x[2] * x[3];
    for (std::int64_t row = first; row < last; ++row)
      for (std::int64_t column = 0; column < x[2]; ++column, pixel += x[3])
        for (std::int64_t y = 0; y < block; ++y) {
          const float* dy = call.output_gradient + ((row * block + y) * x[2] + column) * run;
          if (options.order() == format::DepthOrder::DepthColumnRow) {
            std::memcpy(pixel + y * run, dy, static_cast<std::size_t>(run) * sizeof(float));
            continue;
          }
          for (std::int64_t place = 0; place < block; ++place)
            for (std::int64_t channel = 0; channel < channels; ++channel)
              pixel[(channel * block + y) * block + place] = dy[place * channels + channel];
        }
  };
  share(call.in(0).elements() < kWorthSharing ? nullptr : call.operation.threads,
        std::int64_t{x[0]} * x[1], move_rows);
}

}  // namespace

extern const BackwardRoom kDepthToSpace;
const BackwardRoom kDepthToSpace{
    .differentiable = input_bit(0),
    .reads = reads,
    .backward = backward,
};

}  // namespace figment::train
