// Softmax along one axis: e^(x - max) divided by its sum.
#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"
#include "runtime/ops/lines.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_axis(operation.as<format::Softmax>().axis(), operation.in(0).shape.rank));
  return set_result(result, DataType::kFloat32, operation.in(0).shape);
}

// y = e^(x - highest) for neighbours; y may be x. Returns the sum, added in order.
double exponentials(const float* x, float* y, std::int64_t length, std::int64_t stride,
                    float highest) {
  double sum = 0;
  if (stride == 1) {
    // A loop of its own is vectorized; the sum must keep its order.
    for (std::int64_t i = 0; i < length; ++i) y[i] = math::exp(x[i] - highest);
    for (std::int64_t i = 0; i < length; ++i) sum += static_cast<double>(y[i]);
    return sum;
  }
  for (std::int64_t i = 0; i < length; ++i) {
    const float value = math::exp(x[i * stride] - highest);
    y[i * stride] = value;
    sum += static_cast<double>(value);
  }
  return sum;
}

void forward(const Operation& operation) {
  const Tensor& x = operation.in(0);
  const int axis = operation.as<format::Softmax>().axis();
  const std::int64_t length = x.shape[axis];
  const std::int64_t stride = line_stride(x.shape, axis);
  for_each_line(x.shape, axis, [&](std::int64_t offset, std::int64_t) {
    const float* row = x.floats() + offset;
    float* y = operation.out().floats() + offset;
    const double sum = exponentials(row, y, length, stride, highest_of(row, length, stride));
    const float scale = static_cast<float>(1.0 / sum);
    for (std::int64_t i = 0; i < length; ++i) y[i * stride] = math::one_nan(y[i * stride] * scale);
  });
}

}  // namespace

extern const OperatorRoom kSoftmax;
const OperatorRoom kSoftmax{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
