// GroupNormalization: x [N, ..., C], scale and bias [C] (either may be absent) ->
// (x - mean) / sqrt(variance + epsilon) * scale + bias, mean and variance per picture and group of
// channels, over everything between. One group: layer norm over a picture; C groups: instance norm.
#include <algorithm>
#include <cmath>

#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

enum Operand { kX, kScale, kBias };

int channels_of(const Operation& operation) {
  const Shape& x = operation.in(kX).shape;
  return x[x.rank - 1];
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::GroupNormalization>();
  FIG_TRY(require_float(operation, kX));
  const Shape& x = operation.in(kX).shape;
  if (x.rank < 2) return bad_file({"input 0 has shape ", x, " but must have a batch and channels"});
  FIG_TRY(require_groups(options.groups(), channels_of(operation), "input 0"));
  FIG_TRY(require_epsilon(options.epsilon()));
  FIG_TRY(require_vector(operation, kScale, channels_of(operation)));
  FIG_TRY(require_vector(operation, kBias, channels_of(operation)));
  return set_result(result, DataType::kFloat32, x);
}

// For each channel a sum, which becomes its group's mean, and a factor.
struct Scratch {
  double* sums;
  float* means;
  float* factors;
};

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(channels_of(operation)) * (sizeof(double) + 2 * sizeof(float));
}

// Replaces each channel's sum by the sum of its group, added in the order of the channels, divided
// by `count`.
void average_groups(double* sums, int channels, int group_channels, double count) {
  for (int first = 0; first < channels; first += group_channels) {
    double sum = 0;
    for (int i = 0; i < group_channels; ++i) sum += sums[first + i];
    std::fill_n(sums + first, group_channels, sum / count);
  }
}

// One picture of `pixels` pixels. Sums are of double precision, channel by channel in the order of
// the pixels, so that the innermost loop runs over channels and a big map loses nothing.
void normalize(const float* x, std::int64_t pixels, int channels, int groups, double epsilon,
               const float* scale, const float* bias, const Scratch& scratch, float* output) {
  const int group_channels = channels / groups;
  const double count = static_cast<double>(pixels) * group_channels;
  double* sums = scratch.sums;
  std::fill_n(sums, channels, 0.0);
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
    for (int channel = 0; channel < channels; ++channel)
      sums[channel] += x[pixel * channels + channel];
  average_groups(sums, channels, group_channels, count);

  for (int channel = 0; channel < channels; ++channel)
    scratch.means[channel] = static_cast<float>(sums[channel]);
  std::fill_n(sums, channels, 0.0);
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
    for (int channel = 0; channel < channels; ++channel) {
      const double distance =
          static_cast<double>(x[pixel * channels + channel]) - scratch.means[channel];
      sums[channel] += distance * distance;
    }
  average_groups(sums, channels, group_channels, count);

  for (int channel = 0; channel < channels; ++channel) {
    const float factor = static_cast<float>(1.0 / std::sqrt(sums[channel] + epsilon));
    scratch.factors[channel] = scale != nullptr ? factor * scale[channel] : factor;
  }
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
    for (int channel = 0; channel < channels; ++channel) {
      const std::int64_t i = pixel * channels + channel;
      const float value = (x[i] - scratch.means[channel]) * scratch.factors[channel];
      output[i] = bias != nullptr ? value + bias[channel] : value;
    }
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::GroupNormalization>();
  const Tensor& x = operation.in(kX);
  const int channels = channels_of(operation);
  const std::int64_t picture = x.elements() / x.shape[0];
  Scratch scratch;
  scratch.sums = reinterpret_cast<double*>(operation.scratch);
  scratch.means = reinterpret_cast<float*>(scratch.sums + channels);
  scratch.factors = scratch.means + channels;
  const float* scale = operation.has(kScale) ? operation.in(kScale).floats() : nullptr;
  const float* bias = operation.has(kBias) ? operation.in(kBias).floats() : nullptr;
  for (std::int64_t n = 0; n < x.shape[0]; ++n)
    normalize(x.floats() + n * picture, picture / channels, channels, options.groups(),
              options.epsilon(), scale, bias, scratch, operation.out().floats() + n * picture);
}

}  // namespace

extern const OperatorRoom kGroupNormalization;
const OperatorRoom kGroupNormalization{1,       3,      Memory::kInPlace, shape, scratch_bytes,
                                       forward, nullptr};

}  // namespace figment::ops
