// Running sums along an axis: float32 added in double precision, int32 modulo 2^32.
#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"
#include "runtime/ops/lines.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const Tensor& x = operation.in(0);
  FIG_TRY(require_number(operation, 0));
  FIG_TRY(require_axis(operation.as<format::CumulativeSum>().axis(), x.shape.rank));
  return set_result(result, x.type, x.shape);
}

float result_of(double sum) { return math::one_nan(static_cast<float>(sum)); }
std::int32_t result_of(std::uint32_t sum) { return static_cast<std::int32_t>(sum); }

// Every x is read before the sum is written, so y may be x.
template <typename T, typename Sum>
void accumulate(const Operation& operation) {
  const auto& options = operation.as<format::CumulativeSum>();
  const Tensor& x = operation.in(0);
  const std::int64_t length = x.shape[options.axis()];
  const std::int64_t stride = line_stride(x.shape, options.axis());
  const std::int64_t first = options.reverse() ? (length - 1) * stride : 0;
  const std::int64_t step = options.reverse() ? -stride : stride;
  for_each_line(x.shape, options.axis(), [&](std::int64_t offset, std::int64_t) {
    const T* source = static_cast<const T*>(x.data) + offset + first;
    T* target = static_cast<T*>(operation.out().data) + offset + first;
    Sum sum = 0;
    for (std::int64_t i = 0; i < length; ++i) {
      const Sum before = sum;
      sum += static_cast<Sum>(source[i * step]);
      target[i * step] = result_of(options.exclusive() ? before : sum);
    }
  });
}

void forward(const Operation& operation) {
  if (operation.in(0).type == DataType::kInt32)
    accumulate<std::int32_t, std::uint32_t>(operation);
  else
    accumulate<float, double>(operation);
}

}  // namespace

extern const OperatorRoom kCumulativeSum;
const OperatorRoom kCumulativeSum{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
