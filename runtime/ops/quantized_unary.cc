// QuantizedUnary: any function of one int8 number, as the table of its 256 values.
#include "runtime/ops/quantized.h"

namespace figment::ops {
namespace {

constexpr std::int64_t kNumbers = 256;

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_type(operation, 0, DataType::kInt8));
  FIG_TRY(require_type(operation, 1, DataType::kInt8));
  const Tensor& table = operation.in(1);
  if (!table.constant || table.elements() != kNumbers)
    return bad_file({"the table must be a constant of ", kNumbers, " numbers"});
  return set_result(result, DataType::kInt8, operation.in(0).shape);
}

void forward(const Operation& operation) {
  const std::int8_t* middle = int8_of(operation.in(1)) + kNumbers / 2;
  const std::int8_t* x = int8_of(operation.in(0));
  auto* y = static_cast<std::int8_t*>(operation.out().data);
  const std::int64_t count = operation.out().elements();
  for (std::int64_t i = 0; i < count; ++i) y[i] = middle[x[i]];
}

}  // namespace

extern const OperatorRoom kQuantizedUnary;
const OperatorRoom kQuantizedUnary{2, 2, Memory::kInPlace, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
