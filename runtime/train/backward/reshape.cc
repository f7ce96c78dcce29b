// Reshape: dx is dy, under x's shape.
#include <cstring>

#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

Reads reads(const Call&, Inputs) { return {}; }

void backward(const Call& call) {
  float* gradient = call.gradient(0);
  if (gradient == nullptr || gradient == call.output_gradient) return;
  share_elements(call.operation.threads, call.out().elements(),
                 [&](std::int64_t first, std::int64_t last) {
                   std::memcpy(gradient + first, call.output_gradient + first,
                               static_cast<std::size_t>(last - first) * sizeof(float));
                 });
}

}  // namespace

extern const BackwardRoom kReshape;
const BackwardRoom kReshape{
    .differentiable = input_bit(0), .in_place = true, .reads = reads, .backward = backward};

}  // namespace figment::train
