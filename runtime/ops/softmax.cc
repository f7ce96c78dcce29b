// Softmax along one axis: e^(x - max) divided by its sum.
#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"

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
  std::int64_t stride = 1;
  for (int inner = axis + 1; inner < x.shape.rank; ++inner) stride *= x.shape[inner];
  const std::int64_t elements = x.elements();
  for (std::int64_t outer = 0; outer < elements; outer += length * stride) {
    for (std::int64_t inner = 0; inner < stride; ++inner) {
      const float* row = x.floats() + outer + inner;
      float* y = operation.out().floats() + outer + inner;
      float highest = row[0];
      for (std::int64_t i = 1; i < length; ++i)
        highest = row[i * stride] > highest ? row[i * stride] : highest;
      const double sum = exponentials(row, y, length, stride, highest);
      const float scale = static_cast<float>(1.0 / sum);
      for (std::int64_t i = 0; i < length; ++i)
        y[i * stride] = math::one_nan(y[i * stride] * scale);
    }
  }
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
