// The logarithm of softmax y along an axis: dx = dy - e^y * the sum of dy along it.
#include "runtime/train/lines.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {.output = true}; }

void backward(const Call& call) {
  line_gradient(
      call, call.as<format::LogSoftmax>().axis(), [](float, float dy) { return dy; },
      [](float y, float dy, float sum) { return dy - math::exp(y) * sum; });
}

}  // namespace

extern const BackwardRoom kLogSoftmax;
const BackwardRoom kLogSoftmax{
    .differentiable = input_bit(0), .in_place = true, .reads = reads, .backward = backward};

}  // namespace figment::train
