// QuantizedAdd: the sum of two int8 tensors of one shape, each with its scale.
#include "runtime/ops/quantized.h"

namespace figment::ops {
namespace {

// As they lie in the file.
struct Numbers {
  std::int32_t a_zero_point, a_multiplier, b_zero_point, b_multiplier;
  std::int32_t shift, zero_point, low, high;
};

// |x - zero point| is at most 255, so two products and what rounding adds stay in 32 bits.
constexpr std::int32_t kMaxMultiplier = 1 << 21;
constexpr std::int32_t kMaxAddShift = 30;

const Numbers& numbers_of(const Operation& operation) {
  return *static_cast<const Numbers*>(operation.in(2).data);
}

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_type(operation, 0, DataType::kInt8));
  FIG_TRY(require_type(operation, 1, DataType::kInt8));
  FIG_TRY(require_integers(operation, 2, sizeof(Numbers) / sizeof(std::int32_t)));
  const Shape& a = operation.in(0).shape;
  const Shape& b = operation.in(1).shape;
  if (!(a == b)) return bad_file({"shapes ", a, " and ", b, " of a sum of int8 must be the same"});
  const Numbers& numbers = numbers_of(operation);
  FIG_TRY(require_zero_point(numbers.a_zero_point));
  FIG_TRY(require_zero_point(numbers.b_zero_point));
  FIG_TRY(require_zero_point(numbers.zero_point));
  FIG_TRY(require_range(numbers.a_multiplier, 0, kMaxMultiplier, "a multiplier"));
  FIG_TRY(require_range(numbers.b_multiplier, 0, kMaxMultiplier, "a multiplier"));
  FIG_TRY(require_range(numbers.shift, math::kMinShift, kMaxAddShift, "a shift"));
  FIG_TRY(require_limits(numbers.low, numbers.high));
  return set_result(result, DataType::kInt8, a);
}

void forward(const Operation& operation) {
  const Numbers numbers = numbers_of(operation);
  const std::int32_t half = 1 << (numbers.shift - 1);
  const std::int8_t* a = int8_of(operation.in(0));
  const std::int8_t* b = int8_of(operation.in(1));
  auto* y = static_cast<std::int8_t*>(operation.out().data);
  const std::int64_t count = operation.out().elements();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t sum = (a[i] - numbers.a_zero_point) * numbers.a_multiplier +
                             (b[i] - numbers.b_zero_point) * numbers.b_multiplier + half;
    const std::int32_t value = (sum >> numbers.shift) + numbers.zero_point;
    const std::int32_t above = value > numbers.low ? value : numbers.low;
    y[i] = static_cast<std::int8_t>(above < numbers.high ? above : numbers.high);
  }
}

}  // namespace

extern const OperatorRoom kQuantizedAdd;
const OperatorRoom kQuantizedAdd{3, 3, Memory::kInPlace, shape, nullptr, forward, nullptr};

}  // namespace figment::ops
