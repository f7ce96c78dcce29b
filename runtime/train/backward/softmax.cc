// Softmax y along an axis: dx = y * (dy - the sum of dy * y along it).
#include "runtime/train/lines.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {.output = true}; }

void backward(const Call& call) {
  line_gradient(
      call, call.as<format::Softmax>().axis(), [](float y, float dy) { return y * dy; },
      [](float y, float dy, float sum) { return y * (dy - sum); });
}

}  // namespace

extern const BackwardRoom kSoftmax;
const BackwardRoom kSoftmax{
    .differentiable = input_bit(0), .in_place = true, .reads = reads, .backward = backward};

}  // namespace figment::train
