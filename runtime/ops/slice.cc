// A part of a tensor: along each axis `size` numbers from `start` on, `step` apart.
#include "runtime/math/copy.h"
#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

// How many of `extent` numbers there are from `start` on to the end of the axis that `step` goes
// to.
std::int64_t numbers_from(std::int64_t start, std::int64_t step, std::int64_t extent) {
  return step > 0 ? (extent - start + step - 1) / step : start / -step + 1;
}

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Slice>();
  const Tensor& x = operation.in(0);
  FIG_TRY(require_movable(operation, 0));
  FIG_TRY(require_per_axis(options.starts(), x.shape.rank, "the slice's list of starts"));
  FIG_TRY(require_per_axis(options.sizes(), x.shape.rank, "the slice's list of sizes"));
  FIG_TRY(require_per_axis(options.steps(), x.shape.rank, "the slice's list of steps"));
  Shape shape;
  shape.rank = x.shape.rank;
  for (int axis = 0; axis < shape.rank; ++axis) {
    const std::int32_t start = entry(options.starts(), axis);
    const std::int32_t size = entry(options.sizes(), axis);
    const std::int32_t step = entry(options.steps(), axis);
    FIG_TRY(require_range(start, 0, std::int64_t{x.shape[axis]} - 1, "a start of the slice"));
    if (step == 0) return bad_file({"the slice has step 0 along axis ", axis});
    const std::int64_t most = numbers_from(start, step, x.shape[axis]);
    if (size != -1) FIG_TRY(require_range(size, 1, most, "a size of the slice"));
    shape[axis] = size == -1 ? static_cast<std::int32_t>(most) : size;
  }
  return set_result(result, x.type, shape);
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::Slice>();
  const Tensor& x = operation.in(0);
  const Tensor& y = operation.out();
  const math::Strides strides = math::row_major_strides(x.shape);
  math::Axes<1> axes;
  std::int64_t first = 0;
  for (int axis = y.shape.rank - 1; axis >= 0; --axis) {
    axes.add(y.shape[axis], {strides[axis] * entry(options.steps(), axis)});
    first += strides[axis] * entry(options.starts(), axis);
  }
  const std::size_t bytes = movable_bytes(x.type);
  math::copy_elements(
      axes, static_cast<const std::byte*>(x.data) + static_cast<std::size_t>(first) * bytes,
      static_cast<std::byte*>(y.data), bytes);
}

}  // namespace

extern const OperatorRoom kSlice;
const OperatorRoom kSlice{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
