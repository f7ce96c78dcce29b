// The sentences of checks that several operators' shape rules share.
#include "runtime/ops/checks.h"

#include "runtime/math/gemm.h"

namespace figment::ops {

Status require_type(const Operation& operation, std::size_t index, DataType type) {
  if (operation.in(index).type != type)
    return bad_file({"input ", index, " has the wrong type of numbers; convert the model again"});
  return {};
}

Status require_float(const Operation& operation, std::size_t index, bool allow_float16) {
  const Tensor& tensor = operation.in(index);
  if (tensor.type == DataType::kFloat32) return {};
  if (allow_float16 && tensor.type == DataType::kFloat16 && tensor.constant) return {};
  return bad_file({"input ", index, " must be float32; convert the model again"});
}

Status require_weights(const Operation& operation, std::size_t index, std::int64_t channels,
                       std::int64_t depth) {
  const Tensor& weights = operation.in(index);
  if (weights.type != DataType::kInt8 || !weights.constant)
    return require_float(operation, index, true);
  if (weights.scales.size() != static_cast<std::size_t>(channels))
    return bad_file({"input ", index, " is int8 and has ", weights.scales.size(),
                     " scales but must have ", channels});
  if (depth > math::kMaxInt8Depth)
    return bad_file({"input ", index, " is int8 and has products over ", depth,
                     " numbers, more than ", math::kMaxInt8Depth, "; leave it float32"});
  return {};
}

Status require_number(const Operation& operation, std::size_t index) {
  return operation.in(index).type == DataType::kInt32 ? Status{} : require_float(operation, index);
}

Status require_rank(const Operation& operation, std::size_t index, int rank) {
  if (operation.in(index).shape.rank != rank)
    return bad_file({"input ", index, " has shape ", operation.in(index).shape, " but must have ",
                     rank, " axes"});
  return {};
}

Status require_vector(const Operation& operation, std::size_t index, int length) {
  if (!operation.has(index)) return {};
  FIG_TRY(require_float(operation, index));
  const Shape& shape = operation.in(index).shape;
  if (shape.rank != 1 || shape[0] != length)
    return bad_file({"input ", index, " has shape ", shape, " but must be a vector of ", length});
  return {};
}

Status require_axis(int axis, int rank) {
  if (axis < 0 || axis >= rank)
    return bad_file({"axis ", axis, " is outside a tensor of ", rank, " axes"});
  return {};
}

Status require_positive(std::int64_t value, const char* what) {
  if (value <= 0) return bad_file({what, " is ", value, " but must be positive"});
  return {};
}

Status require_range(std::int64_t value, std::int64_t low, std::int64_t high, const char* what) {
  if (value < low || value > high)
    return bad_file({what, " is ", value, " but must lie between ", low, " and ", high});
  return {};
}

Status require_groups(int groups, int count, const char* what) {
  FIG_TRY(require_positive(groups, "groups"));
  if (count % groups != 0)
    return bad_file({what, " has ", count, " channels, which ", groups, " groups do not divide"});
  return {};
}

Status require_epsilon(float epsilon) {
  if (epsilon >= 0 && epsilon <= 1e30f) return {};  // a NaN is not
  return bad_file({"epsilon must be 0 or a positive number"});
}

Status require_scratch(std::int64_t bytes) {
  if (bytes > kMaxScratch)
    return bad_file({"it would take ", bytes, " bytes of scratch: too large"});
  return {};
}

Status set_result(Tensor& result, DataType type, const Shape& shape) {
  std::int64_t elements = 1;
  for (int axis = 0; axis < shape.rank; ++axis) {
    if (shape[axis] <= 0)
      return bad_file({"the output would have shape ", shape, ": every extent must be positive"});
    elements *= shape[axis];
    if (elements > kMaxElements)
      return bad_file({"the output would have shape ", shape, ": too large"});
  }
  result.type = type;
  result.shape = shape;
  return {};
}

}  // namespace figment::ops
