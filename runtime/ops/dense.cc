// Dense: x [..., inputs], weights [outputs, inputs], bias [outputs] or absent -> [..., outputs].
#include "runtime/math/gemm.h"
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

enum Operand { kX, kWeights, kBias };

std::int64_t scratch_size(const Operation& operation) {
  const Tensor& weights = operation.in(kWeights);
  return math::gemm_scratch_bytes(weights.type, weights.shape[1],
                                  operation.in(kX).elements() / weights.shape[1]);
}

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, kX));
  FIG_TRY(require_rank(operation, kWeights, 2));
  const Shape& weights = operation.in(kWeights).shape;
  FIG_TRY(require_positive(weights[1], "the number of inputs"));
  // int4 constants come with a scale for each block, and no sum is too long for 32 bits.
  if (operation.in(kWeights).type != DataType::kInt4 || !operation.in(kWeights).constant)
    FIG_TRY(require_weights(operation, kWeights, weights[0], weights[1]));
  FIG_TRY(require_vector(operation, kBias, weights[0]));
  Shape output = operation.in(kX).shape;
  if (output.rank < 1) return bad_file({"input 0 is a scalar but must have at least one axis"});
  if (output[output.rank - 1] != weights[1])
    return bad_file({"input 0 has shape ", output, " but the weights have shape ", weights,
                     ": the last extents must agree"});
  output[output.rank - 1] = weights[0];
  FIG_TRY(require_scratch(scratch_size(operation)));
  return set_result(result, DataType::kFloat32, output);
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(scratch_size(operation));
}

void forward(const Operation& operation) {
  const Tensor& x = operation.in(kX);
  const Shape& weights = operation.in(kWeights).shape;
  math::Gemm product;
  product.rows = x.elements() / weights[1];
  product.columns = weights[0];
  product.depth = weights[1];
  product.a = x.floats();
  product.a_stride = weights[1];
  product.b = operation.in(kWeights);
  product.bias = operation.has(kBias) ? operation.in(kBias).floats() : nullptr;
  product.c = operation.out().floats();
  product.c_stride = weights[0];
  math::gemm(product, operation.scratch);
}

double multiply_adds(const Operation& operation) {
  return static_cast<double>(operation.in(kX).elements()) * operation.in(kWeights).shape[0];
}

}  // namespace

extern const OperatorRoom kDense;
const OperatorRoom kDense{2, 3, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
