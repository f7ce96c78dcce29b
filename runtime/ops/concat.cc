// Tensors one behind the other along an axis.
#include <cstring>

#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

Status shape(const Operation& operation, Tensor& result) {
  const int axis = operation.as<format::Concat>().axis();
  const Tensor& first = operation.in(0);
  FIG_TRY(require_axis(axis, first.shape.rank));
  Shape shape = first.shape;
  std::int64_t extent = 0;
  for (std::size_t index = 0; index < operation.inputs.size(); ++index) {
    if (!operation.has(index))
      return bad_file({"input ", index, " of the concatenation is absent"});
    FIG_TRY(require_movable(operation, index));
    FIG_TRY(require_type(operation, index, first.type));
    Shape other = operation.in(index).shape;
    if (other.rank == shape.rank) {
      extent += other[axis];
      other[axis] = shape[axis];
    }
    if (!(other == shape))
      return bad_file({"input ", index, " has shape ", operation.in(index).shape,
                       ", which does not fit behind ", first.shape, " along axis ", axis});
  }
  FIG_TRY(require_range(extent, 1, INT32_MAX, "the extent of the concatenated axis"));
  shape[axis] = static_cast<std::int32_t>(extent);
  return set_result(result, first.type, shape);
}

void forward(const Operation& operation) {
  const int axis = operation.as<format::Concat>().axis();
  const Tensor& y = operation.out();
  std::int64_t outer = 1;
  for (int before = 0; before < axis; ++before) outer *= y.shape[before];
  std::size_t inner = movable_bytes(y.type);
  for (int after = axis + 1; after < y.shape.rank; ++after)
    inner *= static_cast<std::size_t>(y.shape[after]);
  auto* target = static_cast<std::byte*>(y.data);
  for (std::int64_t row = 0; row < outer; ++row) {
    for (const Tensor& x : operation.inputs) {
      const std::size_t bytes = static_cast<std::size_t>(x.shape[axis]) * inner;
      std::memcpy(target,
                  static_cast<const std::byte*>(x.data) + static_cast<std::size_t>(row) * bytes,
                  bytes);
      target += bytes;
    }
  }
}

}  // namespace

extern const OperatorRoom kConcat;
const OperatorRoom kConcat{
    .min_inputs = 1,
    .max_inputs = kMaxInputs,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
