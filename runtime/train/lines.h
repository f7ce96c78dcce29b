// Gradients of functions of whole lines along an axis (softmax and its logarithm).
#pragma once

#include <algorithm>
#include <cstring>

#include "runtime/ops/lines.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {

// dx = result(y, dy, sum) for every element, where sum is that of term(y, dy) over its line along
// `axis`. dx may be dy.
template <typename Term, typename Result>
void line_gradient(const Call& call, int axis, const Term& term, const Result& result) {
  constexpr std::int64_t kBlock = 64;
  const Shape& shape = call.out().shape;
  const float* all_y = call.out().floats();
  const float* all_dy = call.output_gradient;
  float* all_dx = call.gradient(0);
  if (all_dx == nullptr) return;
  const std::int64_t length = shape[axis];
  const std::int64_t stride = ops::line_stride(shape, axis);
  pthreadpool* threads = shape.elements() < kWorthSharing ? nullptr : call.operation.threads;

  // Through a block of its own: dx may lie on dy, of which the compiler must not be afraid.
  const auto write = [&](std::int64_t at, std::int64_t count, const auto& sum_of) {
    float block[kBlock];
    for (std::int64_t i = 0; i < count; ++i)
      block[i] = result(all_y[at + i], all_dy[at + i], sum_of(i));
    std::memcpy(all_dx + at, block, static_cast<std::size_t>(count) * sizeof(float));
  };

  if (stride == 1) {
    share(threads, shape.elements() / length,
          [&](std::size_t, std::int64_t first, std::int64_t last) {
            constexpr std::int64_t kSums = 16;
            for (std::int64_t line = first * length; line < last * length; line += length) {
              const float* y = all_y + line;
              const float* dy = all_dy + line;
              float sums[kSums] = {};
              std::int64_t i = 0;
              for (; i + kSums <= length; i += kSums)
                for (std::int64_t j = 0; j < kSums; ++j) sums[j] += term(y[i + j], dy[i + j]);
              float sum = 0;
              for (; i < length; ++i) sum += term(y[i], dy[i]);
              for (const float part : sums) sum += part;
              for (i = 0; i < length; i += kBlock)
                write(line + i, std::min(kBlock, length - i), [&](std::int64_t) { return sum; });
            }
          });
    return;
  }
  // A block of lines side by side at a time.
  const std::int64_t blocks = (stride + kBlock - 1) / kBlock;
  share(threads, shape.elements() / (length * stride) * blocks,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          for (std::int64_t number = first; number < last; ++number) {
            const std::int64_t inner = number % blocks * kBlock;
            const std::int64_t begin = number / blocks * length * stride + inner;
            const std::int64_t count = std::min(kBlock, stride - inner);
            float sums[kBlock] = {};
            for (std::int64_t i = 0; i < length; ++i)
              for (std::int64_t j = 0; j < count; ++j)
                sums[j] += term(all_y[begin + i * stride + j], all_dy[begin + i * stride + j]);
            for (std::int64_t i = 0; i < length; ++i)
              write(begin + i * stride, count, [&](std::int64_t j) { return sums[j]; });
          }
        });
}

}  // namespace figment::train
