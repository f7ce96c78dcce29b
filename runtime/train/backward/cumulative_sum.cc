// CumulativeSum along an axis: each x is in the sums behind it, so dx is the running sum of dy from
// the other end, with or without itself as the forward's. Added in double precision, as there.
#include <algorithm>

#include "runtime/ops/lines.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

// A block of lines side by side at a time. Every dy is read before its dx is written.
void backward(const Call& call) {
  constexpr std::int64_t kBlock = 32;
  float* gradient = call.gradient(0);
  if (gradient == nullptr) return;
  const auto& options = call.as<format::CumulativeSum>();
  const Shape& shape = call.out().shape;
  const std::int64_t length = shape[options.axis()];
  const std::int64_t stride = ops::line_stride(shape, options.axis());
  const std::int64_t blocks = (stride + kBlock - 1) / kBlock;
  share(shape.elements() < kWorthSharing ? nullptr : call.operation.threads,
        shape.elements() / (length * stride) * blocks,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          for (std::int64_t number = first; number < last; ++number) {
            const std::int64_t inner = number % blocks * kBlock;
            const std::int64_t begin = number / blocks * length * stride + inner;
            const std::int64_t count = std::min(kBlock, stride - inner);
            double sums[kBlock] = {};
            for (std::int64_t step = 0; step < length; ++step) {
              const std::int64_t i = options.reverse() ? step : length - 1 - step;
              const float* dy = call.output_gradient + begin + i * stride;
              float* dx = gradient + begin + i * stride;
              for (std::int64_t j = 0; j < count; ++j) {
                const double before = sums[j];
                sums[j] += static_cast<double>(dy[j]);
                dx[j] = static_cast<float>(options.exclusive() ? before : sums[j]);
              }
            }
          }
        });
}

}  // namespace

extern const BackwardRoom kCumulativeSum;
const BackwardRoom kCumulativeSum{
    .differentiable = input_bit(0), .in_place = true, .reads = reads, .backward = backward};

}  // namespace figment::train
