// The same numbers under the shape that the file declares.
#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const Tensor& x = operation.in(0);
  FIG_TRY(require_movable(operation, 0));
  FIG_TRY(require_declared(result));
  const Shape declared = result.shape;
  FIG_TRY(set_result(result, x.type, declared));
  if (declared.elements() != x.elements())
    return bad_file(
        {"shape ", x.shape, " cannot become ", declared, ": it has another number of elements"});
  return {};
}

}  // namespace

extern const OperatorRoom kReshape;
const OperatorRoom kReshape{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kAlias,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = nullptr,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
