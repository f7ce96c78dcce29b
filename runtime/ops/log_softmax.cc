// The logarithm of softmax along one axis.
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

Status shape(const Operation&, Tensor&) {
  return unsupported({"LogSoftmax is not in this build yet"});
}

void forward(const Operation&) {}

}  // namespace

extern const OperatorRoom kLogSoftmax;
const OperatorRoom kLogSoftmax{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
