// LayerNormalization: x, and scale and bias over its last `axes` axes (either may be absent) ->
// (x - mean) / sqrt(variance + epsilon) * scale + bias, mean and variance over those axes.
#include <cmath>

#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

enum Operand { kX, kScale, kBias };

// The axes that are normalized together.
Shape normalized_shape(const Operation& operation) {
  const Shape& x = operation.in(kX).shape;
  const int axes = operation.as<format::LayerNormalization>().axes();
  Shape shape;
  shape.rank = axes;
  for (int axis = 0; axis < axes; ++axis) shape[axis] = x[x.rank - axes + axis];
  return shape;
}

Status require_parameter(const Operation& operation, Operand operand) {
  if (!operation.has(operand)) return {};
  FIG_TRY(require_float(operation, operand));
  const Shape expected = normalized_shape(operation);
  if (!(operation.in(operand).shape == expected))
    return bad_file({"input ", std::size_t{operand}, " has shape ", operation.in(operand).shape,
                     " but must have ", expected});
  return {};
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::LayerNormalization>();
  FIG_TRY(require_float(operation, kX));
  const Shape& x = operation.in(kX).shape;
  if (x.rank < 1) return bad_file({"input 0 is a scalar but must have at least one axis"});
  FIG_TRY(require_range(options.axes(), 1, x.rank, "axes"));
  FIG_TRY(require_epsilon(options.epsilon()));
  FIG_TRY(require_parameter(operation, kScale));
  FIG_TRY(require_parameter(operation, kBias));
  return set_result(result, DataType::kFloat32, x);
}

// Sums of double precision in eight lanes, added as a tree: the same order everywhere, and exact
// enough for rows of any length.
constexpr int kLanes = 8;

double add_lanes(const double (&lanes)[kLanes]) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

double mean_of(const float* x, std::int64_t count) {
  double lanes[kLanes] = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i % kLanes] += x[i];
  return add_lanes(lanes) / static_cast<double>(count);
}

double variance_of(const float* x, std::int64_t count, double mean) {
  double lanes[kLanes] = {};
  for (std::int64_t i = 0; i < count; ++i) {
    const double distance = x[i] - mean;
    lanes[i % kLanes] += distance * distance;
  }
  return add_lanes(lanes) / static_cast<double>(count);
}

void forward(const Operation& operation) {
  const double epsilon = operation.as<format::LayerNormalization>().epsilon();
  const std::int64_t length = normalized_shape(operation).elements();
  const std::int64_t rows = operation.in(kX).elements() / length;
  const float* scale = operation.has(kScale) ? operation.in(kScale).floats() : nullptr;
  const float* bias = operation.has(kBias) ? operation.in(kBias).floats() : nullptr;
  const float* x = operation.in(kX).floats();
  float* output = operation.out().floats();
  for (std::int64_t row = 0; row < rows; ++row, x += length, output += length) {
    const double mean = mean_of(x, length);
    const float centre = static_cast<float>(mean);
    const float factor =
        static_cast<float>(1.0 / std::sqrt(variance_of(x, length, mean) + epsilon));
    for (std::int64_t i = 0; i < length; ++i) {
      float value = (x[i] - centre) * factor;
      if (scale != nullptr) value *= scale[i];
      if (bias != nullptr) value += bias[i];
      output[i] = value;
    }
  }
}

}  // namespace

extern const OperatorRoom kLayerNormalization;
const OperatorRoom kLayerNormalization{1, 3, Memory::kInPlace, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
