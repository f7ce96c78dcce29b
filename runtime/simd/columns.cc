// One row of a transposed convolution's output from the columns that reach it.
//
// Output pixels are taken `stride` at a time: those of block q, u = q * stride and on, counted with
// the cropped pixels, meet input pixel q - t through kernel columns t * stride and on, for each t.
// So what an input pixel adds to a block lies together in its columns.
#include "runtime/simd/kernels.h"
#include "runtime/simd/vector.h"

namespace figment::simd::FIGMENT_ISA {
namespace {

[[gnu::always_inline]] inline int least(int a, int b) { return a < b ? a : b; }
[[gnu::always_inline]] inline int most(int a, int b) { return a > b ? a : b; }

// Sums of the floats from `at` on.
template <typename T>
[[gnu::always_inline]] inline void add_taps(const ColumnRow& task, const float* columns, int taps,
                                            int at, float* output) {
  T sum = load<T>(task.bias + at);
  for (int row = 0; row < task.rows; ++row) {
    const float* tap = columns + row * task.row_step + at;
    for (int t = 0; t < taps; ++t, tap += task.tap_step) sum += load<T>(tap);
  }
  sum = sum < 0.0f ? task.slope * sum : sum;
  store(output + at, clamp(sum, task.low, task.high));
}

}  // namespace

void sum_columns(const ColumnRow& task) {
  const int channels = task.channels;
  const int stride = task.stride;
  const int whole_taps = task.kernel / stride;
  const int tail = task.kernel % stride * channels;  // floats of a block that have one tap more
  const int end = task.crop + task.output_width;
  const float* const row_end = task.output + std::int64_t{task.output_width} * channels;
  for (int block = task.crop / stride; block * stride < end; ++block) {
    const int first = most(0, task.crop - block * stride) * channels;
    const int last = least(stride, end - block * stride) * channels;
    float* output = task.output + (std::int64_t{block} * stride - task.crop) * channels;
    // Input pixel block - t exists for t from `skipped` on.
    const int skipped = most(0, block - task.input_width + 1);
    const float* columns = task.columns + block * task.pixel_step + skipped * task.tap_step;
    const auto sum_floats = [&](int from, int to, int taps) __attribute__((always_inline)) {
      taps = most(0, least(taps, block + 1) - skipped);
      int at = from;
      // What a vector writes past `to` is written again, as long as it lies in this row.
      for (; at < to && row_end - (output + at) >= kLanes; at += kLanes)
        add_taps<Vector>(task, columns, taps, at, output);
      for (; at < to; ++at) add_taps<float>(task, columns, taps, at, output);
    };
    sum_floats(first, least(tail, last), whole_taps + 1);
    sum_floats(most(tail, first), last, whole_taps);
  }
}

}  // namespace figment::simd::FIGMENT_ISA
