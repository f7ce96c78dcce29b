// Select y = condition != 0 ? a : b, broadcast: da = condition != 0 ? dy : 0, db the rest, each
// summed over the axes along which its operand repeats.
#include "runtime/math/broadcast.h"
#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"

namespace figment::train {
namespace {

enum Operand { kCondition, kA, kB };

constexpr TermKernel kChosen =
    each_term<std::int32_t, std::int32_t, [](float dy, std::int32_t condition, std::int32_t) {
      return condition != 0 ? dy : 0.0F;
    }>;
constexpr TermKernel kNotChosen =
    each_term<std::int32_t, std::int32_t, [](float dy, std::int32_t condition, std::int32_t) {
      return condition != 0 ? 0.0F : dy;
    }>;

Reads reads(const Call&, Inputs) { return {.inputs = input_bit(kCondition)}; }

void write_gradient(const Call& call, TermKernel terms, Operand operand) {
  float* target = call.gradient(operand);
  if (target == nullptr) return;
  const Tensor& condition = call.in(kCondition);
  const Shape& y = call.out().shape;
  sum_terms(math::broadcast_axes<kTermTensors>(
                {call.in(operand).shape, y, condition.shape, condition.shape}, y),
            terms, {call.output_gradient, condition.data, condition.data}, target,
            call.operation.threads);
}

void backward(const Call& call) {
  write_gradient(call, kChosen, kA);
  write_gradient(call, kNotChosen, kB);
}

}  // namespace

extern const BackwardRoom kSelect;
const BackwardRoom kSelect{
    .differentiable = input_bit(kA) | input_bit(kB), .reads = reads, .backward = backward};

}  // namespace figment::train
