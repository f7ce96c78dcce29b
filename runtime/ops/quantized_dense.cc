// QuantizedDense: x int8 [..., inputs], weights int8 [outputs, inputs], channels, range ->
// int8 [..., outputs].
#include "runtime/ops/quantized.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_rank(operation, kWeights, 2));
  const Shape& weights = operation.in(kWeights).shape;
  FIG_TRY(require_quantized_product(operation, weights[1], weights[0]));
  Shape output = operation.in(kX).shape;
  if (output.rank < 1 || output[output.rank - 1] != weights[1])
    return bad_file({"input 0 has shape ", output, " but the weights have shape ", weights,
                     ": the last extents must agree"});
  output[output.rank - 1] = weights[0];
  return set_result(result, DataType::kInt8, output);
}

// A few wide rows; two of them are at most 256 KB.
std::size_t scratch_bytes(const Operation& operation) {
  const std::int64_t depth = operation.in(kWeights).shape[1];
  const std::int64_t rows = math::wide_rows_at_a_time(depth, operation.in(kX).elements() / depth);
  return static_cast<std::size_t>(rows * math::wide_row(depth)) * sizeof(std::int16_t);
}

void forward(const Operation& operation) {
  const Shape& weights = operation.in(kWeights).shape;
  const std::int64_t depth = weights[1];
  const std::int64_t rows = operation.in(kX).elements() / depth;
  const std::int64_t block = math::wide_rows_at_a_time(depth, rows);
  const std::int64_t stride = math::wide_row(depth);
  auto* wide = reinterpret_cast<std::int16_t*>(operation.scratch);
  const math::ProductPart whole{0, 0};
  math::IntegerProduct product = product_of(operation, 0);
  product.columns = weights[0];
  product.depth = weights[1];
  product.parts = &whole;
  product.part_count = 1;
  product.a = wide;
  product.a_stride = stride;
  product.b = int8_of(operation.in(kWeights));
  product.b_stride = depth;
  product.c_stride = weights[0];
  for (std::int64_t first = 0; first < rows; first += block) {
    product.rows = block < rows - first ? block : rows - first;
    for (std::int64_t row = 0; row < product.rows; ++row)
      math::widen(int8_of(operation.in(kX)) + (first + row) * depth, depth,
                  product.range.x_zero_point, wide + row * stride);
    product.c = static_cast<std::int8_t*>(operation.out().data) + first * weights[0];
    math::multiply_integers(product);
  }
}

double multiply_adds(const Operation& operation) {
  return static_cast<double>(operation.in(kX).elements()) * operation.in(kWeights).shape[0];
}

}  // namespace

extern const OperatorRoom kQuantizedDense;
const OperatorRoom kQuantizedDense{
    4, 4, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
