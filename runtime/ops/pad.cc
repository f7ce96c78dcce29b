// A margin around a tensor: a constant, its reflection (without the edge itself), or its edge
// repeated.
#include <algorithm>
#include <cstring>

#include "runtime/math/copy.h"
#include "runtime/math/saturate.h"
#include "runtime/ops/move.h"
#include "runtime/ops/pad.h"

namespace figment::ops {
namespace {

using format::PadMode;

Status shape(const Operation& operation, Tensor& result) {
  const auto& options = operation.as<format::Pad>();
  const Tensor& x = operation.in(0);
  FIG_TRY(require_movable(operation, 0));
  if (options.mode() > PadMode::MAX)
    return unsupported({"padding mode ", static_cast<std::int32_t>(options.mode()),
                        " is unknown; the file is damaged or needs a newer Figment"});
  FIG_TRY(require_per_axis(options.before(), x.shape.rank, "the padding before"));
  FIG_TRY(require_per_axis(options.after(), x.shape.rank, "the padding after"));
  Shape shape;
  shape.rank = x.shape.rank;
  for (int axis = 0; axis < shape.rank; ++axis) {
    const std::int64_t extent = x.shape[axis];
    FIG_TRY(require_positive(extent, "an extent of the input"));
    const std::int64_t most = options.mode() == PadMode::Reflect ? extent - 1 : INT32_MAX;
    FIG_TRY(require_range(entry(options.before(), axis), 0, most, "a padding"));
    FIG_TRY(require_range(entry(options.after(), axis), 0, most, "a padding"));
    const std::int64_t padded =
        extent + entry(options.before(), axis) + entry(options.after(), axis);
    FIG_TRY(require_range(padded, 1, INT32_MAX, "a padded extent"));
    shape[axis] = static_cast<std::int32_t>(padded);
  }
  return set_result(result, x.type, shape);
}

// The constant as an element of `type`.
void store_constant(float value, DataType type, std::byte* element) {
  const std::int32_t integer = math::to_int32(value);
  std::uint8_t small = math::to_uint8(integer);
  if (type == DataType::kFloat32) {
    std::memcpy(element, &value, sizeof value);
  } else if (type == DataType::kInt32) {
    std::memcpy(element, &integer, sizeof integer);
  } else {
    if (type == DataType::kInt8)
      small = static_cast<std::uint8_t>(std::clamp<std::int32_t>(integer, -128, 127));
    std::memcpy(element, &small, sizeof small);
  }
}

// Where the row of x that the output's row at `position` shows begins, in elements; -1: it shows
// none. The last axis is the row itself.
std::int64_t source_row(const format::Pad& options, const Shape& x, const std::int32_t* position) {
  std::int64_t offset = 0;
  for (int axis = 0; axis < x.rank - 1; ++axis) {
    const std::int64_t source = pad_source(
        std::int64_t{position[axis]} - entry(options.before(), axis), x[axis], options.mode());
    if (source < 0) return -1;
    offset = offset * x[axis] + source;
  }
  return offset * x[x.rank - 1];
}

// Writes positions `begin` to `end` (counted from the row's first number) of a margin; returns what
// follows them.
std::byte* margin(std::int64_t begin, std::int64_t end, std::int64_t extent, PadMode mode,
                  const std::byte* row, const std::byte* constant, std::byte* y,
                  std::size_t bytes) {
  for (std::int64_t position = begin; position < end; ++position, y += bytes) {
    const std::int64_t source = pad_source(position, extent, mode);
    std::memcpy(y, source < 0 ? constant : row + static_cast<std::size_t>(source) * bytes, bytes);
  }
  return y;
}

void forward(const Operation& operation) {
  const auto& options = operation.as<format::Pad>();
  const Tensor& x = operation.in(0);
  const Tensor& out = operation.out();
  const std::size_t bytes = movable_bytes(x.type);
  auto* y = static_cast<std::byte*>(out.data);
  if (x.shape.rank == 0) {
    std::memcpy(y, x.data, bytes);
    return;
  }
  std::byte constant[4];
  store_constant(options.value(), x.type, constant);
  const int last = x.shape.rank - 1;
  const std::int64_t extent = x.shape[last];
  const std::int64_t before = entry(options.before(), last);
  const std::int64_t after = entry(options.after(), last);
  std::int32_t position[kMaxRank] = {};
  for (std::int64_t rows = out.elements() / out.shape[last]; rows > 0; --rows) {
    const std::int64_t offset = source_row(options, x.shape, position);
    if (offset < 0) {
      math::repeat_element(constant, y, out.shape[last], bytes);
      y += static_cast<std::size_t>(out.shape[last]) * bytes;
    } else {
      const auto* row =
          static_cast<const std::byte*>(x.data) + static_cast<std::size_t>(offset) * bytes;
      y = margin(-before, 0, extent, options.mode(), row, constant, y, bytes);
      std::memcpy(y, row, static_cast<std::size_t>(extent) * bytes);
      y += static_cast<std::size_t>(extent) * bytes;
      y = margin(extent, extent + after, extent, options.mode(), row, constant, y, bytes);
    }
    for (int axis = last - 1; axis >= 0; --axis) {
      if (++position[axis] < out.shape[axis]) break;
      position[axis] = 0;
    }
  }
}

}  // namespace

extern const OperatorRoom kPad;
const OperatorRoom kPad{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kOwn,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
