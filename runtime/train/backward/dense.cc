// Dense: y = x weights^T + bias, where stored weights and adapters become float32 as they are
// multiplied. With dy [rows, outputs]:
//   dx [rows, inputs]          = dy weights
//   dweights [outputs, inputs] = dy^T x
//   dbias [outputs]            = the sum of dy's rows
#include "runtime/train/backward.h"
#include "runtime/train/rows.h"

namespace figment::train {
namespace {

enum Operand { kX, kWeights, kBias };

struct Sizes {
  std::int64_t rows, inputs, outputs;

  explicit Sizes(const Call& call)
      : rows(call.in(kX).elements() / call.in(kWeights).shape[1]),
        inputs(call.in(kWeights).shape[1]),
        outputs(call.in(kWeights).shape[0]) {}
};

StoredWeights weights_of(const Call& call) {
  return {&call.in(kWeights), call.in(kWeights).shape[1], call.adapter};
}
// `stored` outlives it.
Matrix weight_matrix(const Call& call, const StoredWeights& stored) {
  const bool plain = call.in(kWeights).type == DataType::kFloat32 && call.adapter.rank == 0;
  return plain ? matrix(call.in(kWeights).floats(), stored.columns) : matrix(stored);
}

Reads reads(const Call&, Inputs wanted) {
  Reads result;
  if (wanted & input_bit(kX)) result.inputs |= input_bit(kWeights);
  if (wanted & input_bit(kWeights)) result.inputs |= input_bit(kX);
  return result;
}

std::size_t scratch_bytes(const Call& call) {
  return multiply_scratch_bytes(call.operation.threads);
}

void forward(const Call& call) {
  const Sizes sizes(call);
  float* y = call.out().floats();
  const StoredWeights stored = weights_of(call);
  fill_rows(call.has(kBias) ? call.in(kBias).floats() : nullptr, sizes.rows, sizes.outputs, y,
            call.operation.threads);
  multiply({.rows = sizes.rows,
            .columns = sizes.outputs,
            .depth = sizes.inputs,
            .a = matrix(call.in(kX).floats(), sizes.inputs),
            .b = weight_matrix(call, stored).transposed(),
            .c = y,
            .c_stride = sizes.outputs,
            .add = true},
           *call.loops, call.operation.scratch, call.operation.threads);
}

// Rows of the weights' gradient: those outputs' columns of dy by all of x.
void weight_rows(const Call& call, std::int64_t first, std::int64_t count, float* rows) {
  const Sizes sizes(call);
  multiply({.rows = count,
            .columns = sizes.inputs,
            .depth = sizes.rows,
            .a = matrix(call.output_gradient + first, sizes.outputs).transposed(),
            .b = matrix(call.in(kX).floats(), sizes.inputs),
            .c = rows,
            .c_stride = sizes.inputs},
           *call.loops, call.operation.scratch, call.operation.threads);
}

void backward(const Call& call) {
  const Sizes sizes(call);
  if (float* gradient = call.gradient(kWeights)) weight_rows(call, 0, sizes.outputs, gradient);
  if (float* gradient = call.gradient(kBias))
    sum_rows(call.output_gradient, sizes.rows, sizes.outputs, gradient, call.operation.threads);
  const StoredWeights stored = weights_of(call);
  if (float* gradient = call.gradient(kX))
    multiply({.rows = sizes.rows,
              .columns = sizes.inputs,
              .depth = sizes.outputs,
              .a = matrix(call.output_gradient, sizes.outputs),
              .b = weight_matrix(call, stored),
              .c = gradient,
              .c_stride = sizes.inputs},
             *call.loops, call.operation.scratch, call.operation.threads);
}

}  // namespace

extern const BackwardRoom kDense;
const BackwardRoom kDense{
    .differentiable = input_bit(kX) | input_bit(kWeights) | input_bit(kBias),
    .takes_stored_weights = true,
    .reads = reads,
    .forward = forward,
    .forward_scratch_bytes = scratch_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
    .weight_rows = weight_rows,
};

}  // namespace figment::train
