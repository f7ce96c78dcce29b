// Softmax along one axis: e^(x - max) divided by its sum.
#include "runtime/ops/checks.h"
#include "runtime/ops/lines.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, 0));
  FIG_TRY(require_axis(operation.as<format::Softmax>().axis(), operation.in(0).shape.rank));
  return set_result(result, DataType::kFloat32, operation.in(0).shape);
}

void forward(const Operation& operation) {
  const Tensor& x = operation.in(0);
  const int axis = operation.as<format::Softmax>().axis();
  const std::int64_t stride = line_stride(x.shape, axis);
  for_each_line(x.shape, axis, [&](std::int64_t offset, std::int64_t) {
    softmax_line(x.floats() + offset, operation.out().floats() + offset, x.shape[axis], stride);
  });
}

}  // namespace

extern const OperatorRoom kSoftmax;
const OperatorRoom kSoftmax{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
