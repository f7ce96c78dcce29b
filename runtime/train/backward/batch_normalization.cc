// BatchNormalization: y = n scale + bias with n = (x - mean) f, f = 1 / sqrt(variance + epsilon),
// x [rows, C]. With dy [rows, C]:
//   dscale [C] = the sum of dy n over the rows
//   dbias [C]  = the sum of dy
//   dx         = dy f scale, with the stored statistics;
//   dx         = (dy - dbias / rows - n dscale / rows) f scale, with those of the batch.
// The stored mean and variance are no parameters: by them there is no gradient. They move toward
// the batch's mean and its unbiased variance, sum (x - mean)^2 / (rows - 1); one row has none and
// leaves the stored variance as it is.
#include <algorithm>
#include <cmath>

#include "runtime/train/backward.h"
#include "runtime/train/normalization.h"
#include "runtime/train/rows.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

enum Operand { kX, kScale, kBias, kMean, kVariance };

struct Sizes {
  std::int64_t channels, rows;

  explicit Sizes(const Call& call)
      : channels(call.in(kScale).elements()), rows(call.in(kX).elements() / channels) {}
};

// call.saved: of each channel, as Normal has them.
struct Saved {
  float *centres, *factors, *shifts;

  Saved(const Call& call, const Sizes& sizes)
      : centres(reinterpret_cast<float*>(call.saved)),
        factors(centres + sizes.channels),
        shifts(factors + sizes.channels) {}
};

std::size_t saved_bytes(const Call& call) {
  return static_cast<std::size_t>(Sizes(call).channels) * 3 * sizeof(float);
}

Reads reads(const Call& call, Inputs wanted) {
  Reads result;
  if (wanted & input_bit(kX)) result.inputs |= input_bit(kScale);
  if ((wanted & input_bit(kScale)) || (call.batch_statistics && (wanted & input_bit(kX))))
    result.inputs |= input_bit(kX);
  return result;
}

// body(first, last) for parts of the channels.
template <typename Function>
void share_channels(const Call& call, const Sizes& sizes, const Function& body) {
  const std::int64_t parts = (sizes.channels + kChannelsTogether - 1) / kChannelsTogether;
  share(sizes.rows * sizes.channels < kWorthSharing ? nullptr : call.operation.threads, parts,
        [&](std::size_t, std::int64_t first, std::int64_t last) {
          body(first * kChannelsTogether, std::min(sizes.channels, last * kChannelsTogether));
        });
}

template <typename Function>
void share_rows(const Call& call, const Sizes& sizes, const Function& body) {
  share(sizes.rows * sizes.channels < kWorthSharing ? nullptr : call.operation.threads, sizes.rows,
        [&](std::size_t, std::int64_t first, std::int64_t last) { body(first, last); });
}

// ---- Forward ----

std::size_t forward_scratch_bytes(const Call& call) {
  return static_cast<std::size_t>(Sizes(call).channels) * (sizeof(Moments) + 2 * sizeof(float));
}

void move(float momentum, double target, float& stored) {
  stored += momentum * static_cast<float>(target - static_cast<double>(stored));
}

// The channel's normal: of the batch, toward which it moves the stored statistics, or of those.
Normal channel_normal(const Call& call, std::int64_t channel, const Moments& batch,
                      double epsilon) {
  float& mean = call.in(kMean).floats()[channel];
  float& variance = call.in(kVariance).floats()[channel];
  if (!call.batch_statistics)
    return normal_of(static_cast<double>(mean), static_cast<double>(variance), epsilon);
  move(call.momentum, batch.mean, mean);
  if (batch.count > 1) move(call.momentum, batch.squares / (batch.count - 1), variance);
  return normal_of(batch.mean, batch.squares / batch.count, epsilon);
}

void forward(const Call& call) {
  const Sizes sizes(call);
  const Saved saved(call, sizes);
  Moments* moments = reinterpret_cast<Moments*>(call.operation.scratch);
  float* factors = reinterpret_cast<float*>(moments + sizes.channels);
  float* offsets = factors + sizes.channels;
  const float* x = call.in(kX).floats();
  if (call.batch_statistics)
    share_channels(call, sizes, [&](std::int64_t first, std::int64_t last) {
      column_moments(x, sizes.rows, sizes.channels, first, last, moments);
    });
  const double epsilon = static_cast<double>(call.as<format::BatchNormalization>().epsilon());
  for (std::int64_t c = 0; c < sizes.channels; ++c) {
    const Normal normal = channel_normal(call, c, moments[c], epsilon);
    saved.centres[c] = normal.centre;
    saved.factors[c] = normal.factor;
    saved.shifts[c] = normal.shift;
    const float scale = call.in(kScale).floats()[c];
    factors[c] = normal.factor * scale;
    offsets[c] = normal.shift * scale + call.in(kBias).floats()[c];
  }
  share_rows(call, sizes, [&](std::int64_t first, std::int64_t last) {
    scale_rows(x + first * sizes.channels, saved.centres, factors, offsets, last - first,
               sizes.channels, call.out().floats() + first * sizes.channels);
  });
}

// ---- Backward ----

std::size_t scratch_bytes(const Call& call) {
  return static_cast<std::size_t>(Sizes(call).channels) * (sizeof(ColumnSums) + 3 * sizeof(float));
}

void backward(const Call& call) {
  const Sizes sizes(call);
  const Saved saved(call, sizes);
  const float* dy = call.output_gradient;
  const float* x = call.in(kX).floats();
  float* dx = call.gradient(kX);
  float* dscale = call.gradient(kScale);
  float* dbias = call.gradient(kBias);
  const bool through_statistics = dx != nullptr && call.batch_statistics;

  ColumnSums* sums = reinterpret_cast<ColumnSums*>(call.operation.scratch);
  const bool summed = dscale != nullptr || through_statistics;
  if (summed)
    share_channels(call, sizes, [&](std::int64_t first, std::int64_t last) {
      column_sums(dy, x, saved.centres, sizes.rows, sizes.channels, first, last, sums);
    });
  else if (dbias != nullptr)
    sum_rows(dy, sizes.rows, sizes.channels, dbias, call.operation.threads);

  float* factors = reinterpret_cast<float*>(sums + sizes.channels);
  float* slopes = factors + sizes.channels;
  float* offsets = slopes + sizes.channels;
  for (std::int64_t c = 0; c < sizes.channels; ++c) {
    const Normal normal{saved.centres[c], saved.factors[c], saved.shifts[c]};
    if (dx != nullptr) factors[c] = normal.factor * call.in(kScale).floats()[c];
    if (!summed) continue;
    const double by_bias = sums[c].gradients;
    const double by_scale = sums[c].normalized(normal);
    if (dscale != nullptr) dscale[c] = static_cast<float>(by_scale);
    if (dbias != nullptr) dbias[c] = static_cast<float>(by_bias);
    if (!through_statistics) continue;
    const double part = static_cast<double>(factors[c]) / static_cast<double>(sizes.rows);
    slopes[c] = static_cast<float>(-part * by_scale * static_cast<double>(normal.factor));
    offsets[c] =
        static_cast<float>(-part * (by_bias + by_scale * static_cast<double>(normal.shift)));
  }
  if (dx == nullptr) return;
  share_rows(call, sizes, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t begin = first * sizes.channels;
    if (through_statistics)
      gradient_rows(dy + begin, x + begin, saved.centres, factors, slopes, offsets, last - first,
                    sizes.channels, dx + begin);
    else
      multiply_rows(dy + begin, factors, last - first, sizes.channels, dx + begin);
  });
}

}  // namespace

extern const BackwardRoom kBatchNormalization;
const BackwardRoom kBatchNormalization{
    .differentiable = input_bit(kX) | input_bit(kScale) | input_bit(kBias),
    .in_place = true,
    .reads = reads,
    .forward = forward,
    .forward_scratch_bytes = forward_scratch_bytes,
    .saved_bytes = saved_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
};

}  // namespace figment::train
