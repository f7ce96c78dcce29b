// Takes each number from one of two tensors, as a third says.
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

Status shape(const Operation&, Tensor&) { return unsupported({"Select is not in this build yet"}); }

void forward(const Operation&) {}

}  // namespace

extern const OperatorRoom kSelect;
const OperatorRoom kSelect{
    .min_inputs = 3,
    .max_inputs = 3,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
