// Quantize: float32 to int8, by one scale and zero point.
#include "runtime/math/quantize.h"

#include "runtime/ops/quantized.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Quantize>();
  FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_zero_point(options.zero_point()));
  FIG_TRY(require_scale(options.scale()));
  return set_result(result, DataType::kInt8, operation.in(0).shape);
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::Quantize>();
  const std::int32_t zero_point = options.zero_point();
  const float inverse = 1.0F / options.scale();
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
const OperatorRoom kQuantize{1, 1, Memory::kOwn, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
