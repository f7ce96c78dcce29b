// Axes in another order: output axis i is input axis permutation[i].
#include "runtime/math/copy.h"
#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const auto* permutation = operation.as<format::Transpose>().permutation();
  const Tensor& x = operation.in(0);
  FIG_TRY(require_movable(operation, 0));
  FIG_TRY(require_per_axis(permutation, x.shape.rank, "the permutation"));
  Shape shape;
  shape.rank = x.shape.rank;
  std::uint32_t seen = 0;
  for (int axis = 0; axis < shape.rank; ++axis) {
    const std::int32_t from = entry(permutation, axis);
    FIG_TRY(require_axis(from, shape.rank));
    if ((seen >> from & 1U) != 0) return bad_file({"the permutation names axis ", from, " twice"});
    seen |= 1U << from;
    shape[axis] = x.shape[from];
  }
  return set_result(result, x.type, shape);
}

void forward(const Operation& operation) {
  const auto* permutation = operation.as<format::Transpose>().permutation();
  const Tensor& x = operation.in(0);
  const Tensor& y = operation.out();
  const math::Strides strides = math::row_major_strides(x.shape);
  math::Axes<1> axes;
  for (int axis = y.shape.rank - 1; axis >= 0; --axis)
    axes.add(y.shape[axis], {strides[entry(permutation, axis)]});
  math::copy_elements(axes, static_cast<const std::byte*>(x.data), static_cast<std::byte*>(y.data),
                      movable_bytes(x.type));
}

}  // namespace

extern const OperatorRoom kTranspose;
const OperatorRoom kTranspose{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
