// A tensor repeated along its axes until it fills the shape that the file declares.
#include "runtime/math/copy.h"
#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const Tensor& x = operation.in(0);
  FIG_TRY(require_movable(operation, 0));
  FIG_TRY(require_declared(result));
  const Shape declared = result.shape;
  FIG_TRY(set_result(result, x.type, declared));
  bool fits = declared.rank == x.shape.rank;
  for (int axis = 0; fits && axis < declared.rank; ++axis)
    fits = x.shape[axis] > 0 && declared[axis] % x.shape[axis] == 0;
  if (!fits)
    return bad_file({"shape ", x.shape, " cannot be repeated to fill ", declared,
                     ": every extent must be a multiple"});
  return {};
}

void forward(const Operation& operation) {
  const Tensor& x = operation.in(0);
  const Tensor& y = operation.out();
  const math::Strides strides = math::row_major_strides(x.shape);
  math::Axes<1> axes;
  for (int axis = y.shape.rank - 1; axis >= 0; --axis) {
    axes.add(x.shape[axis], {strides[axis]});
    axes.add(y.shape[axis] / x.shape[axis], {0});  // again from the start
  }
  math::copy_elements(axes, static_cast<const std::byte*>(x.data), static_cast<std::byte*>(y.data),
                      movable_bytes(x.type));
}

}  // namespace

extern const OperatorRoom kTile;
const OperatorRoom kTile{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
