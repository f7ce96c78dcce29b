// Recurrent layers: RNN, GRU and LSTM.
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

Status shape(const Operation&, Tensor&) {
  return unsupported({"Recurrent is not in this build yet"});
}

void forward(const Operation&) {}

}  // namespace

extern const OperatorRoom kRecurrent;
const OperatorRoom kRecurrent{
    .min_inputs = 3,
    .max_inputs = 8,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
