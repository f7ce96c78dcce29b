// Comparisons and logic of two tensors.
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

Status shape(const Operation&, Tensor&) {
  return unsupported({"Compare is not in this build yet"});
}

void forward(const Operation&) {}

}  // namespace

extern const OperatorRoom kCompare;
const OperatorRoom kCompare{
    .min_inputs = 2,
    .max_inputs = 2,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
