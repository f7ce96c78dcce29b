// BatchNormalization: x [..., C] and scale, bias, mean, variance [C] ->
// (x - mean) * (scale / sqrt(variance + epsilon)) + bias. The converter folds it into the operator
// before it where it can.
#include <cmath>

#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

enum Operand { kX, kScale, kBias, kMean, kVariance };

int channels_of(const Operation& operation) {
  const Shape& x = operation.in(kX).shape;
  return x[x.rank - 1];
}

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, kX));
  const Shape& x = operation.in(kX).shape;
  if (x.rank < 1) return bad_file({"input 0 is a scalar but must have at least one axis"});
  for (const Operand operand : {kScale, kBias, kMean, kVariance})
    FIG_TRY(require_vector(operation, operand, channels_of(operation)));
  FIG_TRY(require_epsilon(operation.as<format::BatchNormalization>().epsilon()));
  return set_result(result, DataType::kFloat32, x);
}

// The factor of each channel.
std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(channels_of(operation)) * sizeof(float);
}

void forward(const Operation& operation) {
  const int channels = channels_of(operation);
  const float epsilon = operation.as<format::BatchNormalization>().epsilon();
  const float* scale = operation.in(kScale).floats();
  const float* bias = operation.in(kBias).floats();
  const float* mean = operation.in(kMean).floats();
  const float* variance = operation.in(kVariance).floats();
  float* factor = reinterpret_cast<float*>(operation.scratch);
  for (int channel = 0; channel < channels; ++channel)
    factor[channel] = scale[channel] / std::sqrt(variance[channel] + epsilon);
  const std::int64_t rows = operation.in(kX).elements() / channels;
  const float* x = operation.in(kX).floats();
  float* output = operation.out().floats();
  for (std::int64_t row = 0; row < rows; ++row, x += channels, output += channels)
    for (int channel = 0; channel < channels; ++channel)
      output[channel] = (x[channel] - mean[channel]) * factor[channel] + bias[channel];
}

}  // namespace

extern const OperatorRoom kBatchNormalization;
const OperatorRoom kBatchNormalization{5,       5,      Memory::kInPlace, shape, scratch_bytes,
                                       forward, nullptr};

}  // namespace figment::ops
