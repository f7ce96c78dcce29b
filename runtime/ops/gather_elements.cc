// Takes numbers along an axis, each by an index of its own: y[i,j,k] = data[i, indices[i,j,k], k]
// along axis 1.
#include <cstring>

#include "runtime/math/axes.h"
#include "runtime/ops/move.h"

namespace figment::ops {
namespace {

constexpr std::size_t kData = 0;
constexpr std::size_t kIndices = 1;

Status shape(const Operation& operation, Tensor& result) {
  const int axis = operation.as<format::GatherElements>().axis();
  const Shape& data = operation.in(kData).shape;
  const Shape& indices = operation.in(kIndices).shape;
  FIG_TRY(require_movable(operation, kData));
  FIG_TRY(require_type(operation, kIndices, DataType::kInt32));
  FIG_TRY(require_rank(operation, kIndices, data.rank));
  FIG_TRY(require_axis(axis, data.rank));
  FIG_TRY(require_positive(data[axis], "the extent that is indexed"));
  for (int other = 0; other < data.rank; ++other)
    if (other != axis && indices[other] > data[other])
      return bad_file({"indices of shape ", indices, " do not fit data of shape ", data,
                       ": only axis ", axis, " may be longer"});
  return set_result(result, operation.in(kData).type, indices);
}

// How to step over the data, at index 0 of `axis`, while the indices are read in order.
math::Axes<2> axes_of(const Shape& data, const Shape& indices, int axis) {
  const math::Strides data_strides = math::row_major_strides(data);
  const math::Strides index_strides = math::row_major_strides(indices);
  math::Axes<2> axes;
  for (int at = indices.rank - 1; at >= 0; --at)
    axes.add(indices[at], {index_strides[at], at == axis ? 0 : data_strides[at]});
  return axes;
}

void forward(const Operation& operation) {
  const int axis = operation.as<format::GatherElements>().axis();
  const Tensor& data = operation.in(kData);
  const Tensor& indices = operation.in(kIndices);
  const std::int64_t extent = data.shape[axis];
  const std::int64_t distance = math::row_major_strides(data.shape)[axis];
  const std::size_t bytes = movable_bytes(data.type);
  const math::Axes<2> axes = axes_of(data.shape, indices.shape, axis);
  const auto* source = static_cast<const std::byte*>(data.data);
  auto* target = static_cast<std::byte*>(operation.out().data);
  axes.for_each_row([&](const std::int64_t* offsets) {
    for (std::int64_t i = 0; i < axes.row_length(); ++i) {
      const std::int32_t index = indices.integers()[offsets[0] + i * axes.row_stride(0)];
      const std::int64_t position =
          offsets[1] + i * axes.row_stride(1) + row_of(index, extent) * distance;
      std::memcpy(target, source + static_cast<std::size_t>(position) * bytes, bytes);
      target += bytes;
    }
  });
}

}  // namespace

extern const OperatorRoom kGatherElements;
const OperatorRoom kGatherElements{
    .min_inputs = 2,
    .max_inputs = 2,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
