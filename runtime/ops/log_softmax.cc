// The logarithm of softmax along one axis: x - max - log(sum(e^(x - max))), so that probabilities
// too small for float32 keep theirs.
#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"
#include "runtime/ops/lines.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_axis(operation.as<format::LogSoftmax>().axis(), operation.in(0).shape.rank));
  return set_result(result, DataType::kFloat32, operation.in(0).shape);
}

// log(sum(e^(x - highest))), added in order; NaN when any x is, or all are -infinity.
double log_of_sum(const float* x, std::int64_t length, std::int64_t stride, float highest) {
  constexpr std::int64_t kBlock = 32;
  float block[kBlock] = {};
  double sum = 0;
  for (std::int64_t done = 0; done < length; done += kBlock) {
    const std::int64_t count = length - done < kBlock ? length - done : kBlock;
    for (std::int64_t i = 0; i < count; ++i) block[i] = x[(done + i) * stride] - highest;
    for (float& value : block) value = math::exp(value);
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(block[i]);
  }
  return sum == sum ? math::log_double(sum) : sum;
}

void forward(const Operation& operation) {
  const Tensor& x = operation.in(0);
  const int axis = operation.as<format::LogSoftmax>().axis();
  const std::int64_t length = x.shape[axis];
  const std::int64_t stride = line_stride(x.shape, axis);
  for_each_line(x.shape, axis, [&](std::int64_t offset, std::int64_t) {
    const float* row = x.floats() + offset;
    float* y = operation.out().floats() + offset;
    const float highest = highest_of(row, length, stride);
    const double logarithm = log_of_sum(row, length, stride, highest);
    for (std::int64_t i = 0; i < length; ++i) {
      const double below = static_cast<double>(row[i * stride]) - static_cast<double>(highest);
      y[i * stride] = math::one_nan(static_cast<float>(below - logarithm));
    }
  });
}

}  // namespace

extern const OperatorRoom kLogSoftmax;
const OperatorRoom kLogSoftmax{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
