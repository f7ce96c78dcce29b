// Dequantize: int8 to float32, by one scale and zero point.
#include "runtime/ops/quantized.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_type(operation, 0, DataType::kInt8));
  FIG_TRY(require_int8_numbers(operation));
  return set_result(result, DataType::kFloat32, operation.in(0).shape);
}

void forward(const Operation& operation) {
  const Int8Numbers numbers(operation);
  const std::int32_t zero_point = numbers.zero_point;
  const float scale = numbers.scale;
  const std::int8_t* x = int8_of(operation.in(0));
  float* y = operation.out().floats();
  const std::int64_t count = operation.out().elements();
  for (std::int64_t i = 0; i < count; ++i) y[i] = scale * static_cast<float>(x[i] - zero_point);
}

}  // namespace

extern const OperatorRoom kDequantize;
const OperatorRoom kDequantize{3, 3, Memory::kOwn, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
