// Parts of a tensor, chosen by index along an axis: rows of an embedding, among others.
#include <cstring>

#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

constexpr std::size_t kData = 0;
constexpr std::size_t kIndices = 1;

Status shape(const Operation& operation, Tensor& result) {
  const int axis = operation.as<format::Gather>().axis();
  const Shape& data = operation.in(kData).shape;
  const Shape& indices = operation.in(kIndices).shape;
  FIG_TRY(require_movable(operation, kData));
  FIG_TRY(require_type(operation, kIndices, DataType::kInt32));
  FIG_TRY(require_axis(axis, data.rank));
  FIG_TRY(require_positive(data[axis], "the extent that is indexed"));
  FIG_TRY(require_range(std::int64_t{data.rank} - 1 + indices.rank, 0, kMaxRank,
                        "the number of the output's axes"));
  Shape shape;
  for (int before = 0; before < axis; ++before) shape[shape.rank++] = data[before];
  for (int own = 0; own < indices.rank; ++own) shape[shape.rank++] = indices[own];
  for (int after = axis + 1; after < data.rank; ++after) shape[shape.rank++] = data[after];
  return set_result(result, operation.in(kData).type, shape);
}

void forward(const Operation& operation) {
  const int axis = operation.as<format::Gather>().axis();
  const Tensor& data = operation.in(kData);
  const Tensor& indices = operation.in(kIndices);
  const std::int64_t extent = data.shape[axis];
  std::int64_t outer = 1;
  for (int before = 0; before < axis; ++before) outer *= data.shape[before];
  std::size_t inner = movable_bytes(data.type);
  for (int after = axis + 1; after < data.shape.rank; ++after)
    inner *= static_cast<std::size_t>(data.shape[after]);
  const std::int64_t count = indices.elements();
  const auto* source = static_cast<const std::byte*>(data.data);
  auto* target = static_cast<std::byte*>(operation.out().data);
  for (std::int64_t part = 0; part < outer; ++part) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = part * extent + row_of(indices.integers()[i], extent);
      std::memcpy(target, source + static_cast<std::size_t>(row) * inner, inner);
      target += inner;
    }
  }
}

}  // namespace

extern const OperatorRoom kGather;
const OperatorRoom kGather{
    .min_inputs = 2,
    .max_inputs = 2,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
