// Where the largest or smallest number along an axis stands; float32 or int32 in, int32 out.
//
// A NaN goes before every number. Of equal ones the first is taken, or the last.
#include "runtime/ops/checks.h"
#include "runtime/ops/lines.h"

namespace figment::ops {
namespace {

using format::ArgReduceFunction;

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::ArgReduce>();
  const Tensor& x = operation.in(0);
  if (options.function() > ArgReduceFunction::MAX)
    return unsupported({"search ", static_cast<std::int32_t>(options.function()),
                        " is unknown; the file is damaged or needs a newer Figment"});
  FIG_TRY(require_number(operation, 0));
  FIG_TRY(require_axis(options.axis(), x.shape.rank));
  FIG_TRY(require_positive(x.shape[options.axis()], "the extent that is searched"));
  Shape shape;
  for (int axis = 0; axis < x.shape.rank; ++axis) {
    if (axis != options.axis()) {
      shape[shape.rank++] = x.shape[axis];
    } else if (options.keep_axis()) {
      shape[shape.rank++] = 1;
    }
  }
  return set_result(result, DataType::kInt32, shape);
}

bool is_nan(float value) { return value != value; }
bool is_nan(std::int32_t) { return false; }

// Whether `value` goes strictly before `best`.
template <typename T>
bool goes_before(bool largest, T value, T best) {
  return (largest ? value > best : value < best) || is_nan(value) > is_nan(best);
}

template <typename T>
void search(const Operation& operation) {
  const auto& options = operation.as<format::ArgReduce>();
  const Tensor& x = operation.in(0);
  const int axis = options.axis();
  const bool largest = options.function() == ArgReduceFunction::ArgMax;
  const bool last = options.last();
  const std::int32_t length = x.shape[axis];
  const std::int64_t stride = line_stride(x.shape, axis);
  auto* y = static_cast<std::int32_t*>(operation.out().data);
  for_each_line(x.shape, axis, [&](std::int64_t offset, std::int64_t number) {
    const T* line = static_cast<const T*>(x.data) + offset;
    T best = line[0];
    std::int32_t found = 0;
    for (std::int32_t i = 1; i < length; ++i) {
      const T value = line[i * stride];
      const bool taken =
          last ? !goes_before(largest, best, value) : goes_before(largest, value, best);
      if (!taken) continue;
      best = value;
      found = i;
    }
    y[number] = found;
  });
}

void forward(const Operation& operation) {
  if (operation.in(0).type == DataType::kInt32)
    search<std::int32_t>(operation);
  else
    search<float>(operation);
}

}  // namespace

extern const OperatorRoom kArgReduce;
const OperatorRoom kArgReduce{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
