// The gradient by an operand that was broadcast: the sum over the axes along which it repeats.
#pragma once

#include "runtime/math/axes.h"
#include "runtime/train/threads.h"

namespace figment::train {

// Numbers of 4 bytes that a term is computed from: the output's gradient and two operands.
struct TermSources {
  const float* output_gradient;
  const void* first;
  const void* second;
};

// Terms are computed so many at a time.
inline constexpr std::int64_t kTermBlock = 64;

// terms[i] = something of element i of each source, for `count` (at most kTermBlock) neighbours.
using TermKernel = void (*)(const TermSources& sources, float* terms, std::int64_t count);

// A kernel of a function of float or std::int32_t numbers.
template <typename First, typename Second, auto kFunction>
void each_term(const TermSources& sources, float* __restrict terms, std::int64_t count) {
  const float* __restrict dy = sources.output_gradient;
  const First* __restrict first = static_cast<const First*>(sources.first);
  const Second* __restrict second = static_cast<const Second*>(sources.second);
  for (std::int64_t i = 0; i < count; ++i) terms[i] = kFunction(dy[i], first[i], second[i]);
}
template <auto kFunction>
inline constexpr TermKernel kTerms = each_term<float, float, kFunction>;

// Which tensors the axes step over; along the innermost axis each by 0 or 1.
enum TermTensor { kTarget, kOutputGradient, kFirst, kSecond, kTermTensors };
using TermAxes = math::Axes<kTermTensors>;

// target = the sum of the terms that fall on each of its elements; a kernel that is null: of the
// output's gradient itself. Where nothing repeats, target may be the output's gradient.
// Each element is summed by one thread, in parts of some terms.
void sum_terms(const TermAxes& axes, TermKernel kernel, const TermSources& sources, float* target,
               pthreadpool* threads);

// Calls body(thread, offsets, length) for parts of rows along the innermost axis, shared out as
// they are; every element belongs to one part.
template <int kTensors, typename Body>
void share_parts(const math::Axes<kTensors>& axes, pthreadpool* threads, const Body& body) {
  const std::int64_t length = axes.row_length();
  if (axes.rows() > 1) {
    share(threads, axes.rows(), [&](std::size_t thread, std::int64_t first, std::int64_t last) {
      axes.for_rows(first, last,
                    [&](const std::int64_t* offsets) { body(thread, offsets, length); });
    });
    return;
  }
  share(threads, length, [&](std::size_t thread, std::int64_t first, std::int64_t last) {
    std::int64_t offsets[kTensors];
    for (int tensor = 0; tensor < kTensors; ++tensor)
      offsets[tensor] = first * axes.row_stride(tensor);
    body(thread, offsets, last - first);
  });
}

// Calls body(offsets, length), shared out where there are enough elements.
template <int kTensors, typename Body>
void share_rows(const math::Axes<kTensors>& axes, pthreadpool* threads, const Body& body) {
  share_parts(axes, axes.rows() * axes.row_length() < kWorthSharing ? nullptr : threads,
              [&](std::size_t, const std::int64_t* offsets, std::int64_t length) {
                body(offsets, length);
              });
}

}  // namespace figment::train
