// Scaled dot-product attention.
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

Status shape(const Operation&, Tensor&) {
  return unsupported({"Attention is not in this build yet"});
}

void forward(const Operation&) {}

}  // namespace

extern const OperatorRoom kAttention;
const OperatorRoom kAttention{
    .min_inputs = 3,
    .max_inputs = 4,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
