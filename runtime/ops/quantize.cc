// Quantize: float32 to int8, by one scale and zero point.
#include "runtime/math/quantize.h"

#include "runtime/ops/quantized.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_int8_numbers(operation));
  return set_result(result, DataType::kInt8, operation.in(0).shape);
}

void forward(const Operation& operation) {
  const Int8Numbers numbers(operation);
  const std::int32_t zero_point = numbers.zero_point;
  const float inverse = 1.0F / numbers.scale;
  const auto low = static_cast<float>(INT8_MIN - zero_point);
  const auto high = static_cast<float>(INT8_MAX - zero_point);
  const float* x = operation.in(0).floats();
  auto* y = static_cast<std::int8_t*>(operation.out().data);
  const std::int64_t count = operation.out().elements();
  for (std::int64_t i = 0; i < count; ++i) {
    const float steps = x[i] * inverse;
    const float above = steps > low ? steps : low;  // a NaN is not
    y[i] = static_cast<std::int8_t>(math::nearest(above < high ? above : high) + zero_point);
  }
}

}  // namespace

extern const OperatorRoom kQuantize;
const OperatorRoom kQuantize{3, 3, Memory::kOwn, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
