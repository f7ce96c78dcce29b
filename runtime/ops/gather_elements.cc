// Takes numbers along an axis, each by an index of its own.
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

Status shape(const Operation&, Tensor&) {
  return unsupported({"GatherElements is not in this build yet"});
}

void forward(const Operation&) {}

}  // namespace

extern const OperatorRoom kGatherElements;
const OperatorRoom kGatherElements{
    .min_inputs = 2,
    .max_inputs = 2,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
