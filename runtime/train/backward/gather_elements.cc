// GatherElements y[i,j,k] = data[i, indices[i,j,k], k] along axis 1: ddata is 0, and each number of
// dy added to where it came from, in their order.
#include "runtime/math/axes.h"
#include "runtime/ops/move.h"
#include "runtime/train/backward.h"
#include "runtime/train/rows.h"

namespace figment::train {
namespace {

enum Operand { kData, kIndices };

Reads reads(const Call&, Inputs) { return {.inputs = input_bit(kIndices)}; }

void backward(const Call& call) {
  float* gradient = call.gradient(kData);
  if (gradient == nullptr) return;
  const int axis = call.as<format::GatherElements>().axis();
  const Shape& data = call.in(kData).shape;
  const Tensor& indices = call.in(kIndices);
  const math::Strides strides = math::row_major_strides(data);
  const math::Strides index_strides = math::row_major_strides(indices.shape);
  // Over the indices, and over the data at index 0 of `axis`.
  math::Axes<2> axes;
  for (int at = data.rank - 1; at >= 0; --at)
    axes.add(indices.shape[at], {index_strides[at], at == axis ? 0 : strides[at]});

  fill_zeros(gradient, data.elements(), call.operation.threads);
  axes.for_each_row([&](const std::int64_t* offsets) {
    for (std::int64_t i = 0; i < axes.row_length(); ++i) {
      const std::int64_t number = offsets[0] + i * axes.row_stride(0);
      const std::int64_t row = ops::row_of(indices.integers()[number], data[axis]);
      gradient[offsets[1] + i * axes.row_stride(1) + row * strides[axis]] +=
          call.output_gradient[number];
    }
  });
}

}  // namespace

extern const BackwardRoom kGatherElements;
const BackwardRoom kGatherElements{
    .differentiable = input_bit(kData), .reads = reads, .backward = backward};

}  // namespace figment::train
