// Takes each number from one of two tensors, as a third says; all three broadcast as in NumPy.
#include "runtime/math/broadcast.h"
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

constexpr std::size_t kCondition = 0;
constexpr std::size_t kFirst = 1;
constexpr std::size_t kSecond = 2;

Status shape(const Operation& operation, Tensor& result) {
  const Tensor& condition = operation.in(kCondition);
  const Tensor& first = operation.in(kFirst);
  const Tensor& second = operation.in(kSecond);
  FIG_TRY(require_type(operation, kCondition, DataType::kInt32));
  FIG_TRY(require_number(operation, kFirst));
  FIG_TRY(require_type(operation, kSecond, first.type));
  Shape values;
  Shape together;
  if (!math::broadcast_shapes(first.shape, second.shape, values) ||
      !math::broadcast_shapes(condition.shape, values, together))
    return bad_file({"shapes ", condition.shape, ", ", first.shape, " and ", second.shape,
                     " cannot be broadcast together"});
  return set_result(result, first.type, together);
}

// Each number is read before its place is written, so y may be the condition.
template <typename T>
void choose(const Operation& operation) {
  const Tensor& condition = operation.in(kCondition);
  const Tensor& first = operation.in(kFirst);
  const Tensor& second = operation.in(kSecond);
  const Tensor& y = operation.out();
  const math::Axes<3> axes =
      math::broadcast_axes<3>({condition.shape, first.shape, second.shape}, y.shape);
  T* target = static_cast<T*>(y.data);
  axes.for_each_row([&](const std::int64_t* offsets) {
    const std::int32_t* choice = condition.integers() + offsets[kCondition];
    const T* a = static_cast<const T*>(first.data) + offsets[kFirst];
    const T* b = static_cast<const T*>(second.data) + offsets[kSecond];
    for (std::int64_t i = 0; i < axes.row_length(); ++i) {
      *target++ = *choice != 0 ? *a : *b;
      choice += axes.row_stride(kCondition);
      a += axes.row_stride(kFirst);
      b += axes.row_stride(kSecond);
    }
  });
}

void forward(const Operation& operation) {
  if (operation.out().type == DataType::kInt32)
    choose<std::int32_t>(operation);
  else
    choose<float>(operation);
}

}  // namespace

extern const OperatorRoom kSelect;
const OperatorRoom kSelect{
    .min_inputs = 3,
    .max_inputs = 3,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
