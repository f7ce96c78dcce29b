// Running sums along an axis.
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

Status shape(const Operation&, Tensor&) {
  return unsupported({"CumulativeSum is not in this build yet"});
}

void forward(const Operation&) {}

}  // namespace

extern const OperatorRoom kCumulativeSum;
const OperatorRoom kCumulativeSum{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
