// Checks that several operators' shape rules share, each with its sentence.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::ops {

// The dimension `axis`, counted from the end when negative. Call after the range was checked.
inline int wrap_axis(int axis, int rank) { return axis < 0 ? axis + rank : axis; }

Status require_type(const Operation& operation, std::size_t index, DataType type);

// float32 activations everywhere; weights may be float16 in the file where `allow_float16`.
Status require_float(const Operation& operation, std::size_t index, bool allow_float16 = false);

// Weights: float32, or constants of float16 or int8. These have a scale for each of `channels`, and
// products over at most math::kMaxInt8Depth numbers.
Status require_weights(const Operation& operation, std::size_t index, std::int64_t channels,
                       std::int64_t depth);

// float32 or int32.
Status require_number(const Operation& operation, std::size_t index);

Status require_rank(const Operation& operation, std::size_t index, int rank);

// A vector of `length` float32 numbers, or absent.
Status require_vector(const Operation& operation, std::size_t index, int length);

Status require_axis(int axis, int rank);

Status require_positive(std::int64_t value, const char* what);

Status require_range(std::int64_t value, std::int64_t low, std::int64_t high, const char* what);

// `groups` parts of `count` channels without a rest.
Status require_groups(int groups, int count, const char* what);

// Added to a variance before its root is taken.
Status require_epsilon(float epsilon);

// Bytes of scratch that one operator may ask for; more would not be addressable on a small device.
inline constexpr std::int64_t kMaxScratch = sizeof(void*) < 8 ? 1 << 28 : INT32_MAX;

Status require_scratch(std::int64_t bytes);

// True when a table of rows has one a function, in the schema's order: the schema's number is then
// the row's.
template <typename Row, std::size_t kCount>
constexpr bool in_schema_order(const Row (&rows)[kCount]) {
  std::size_t index = 0;
  for (const Row& row : rows)
    if (static_cast<std::size_t>(row.function) != index++) return false;
  return index == static_cast<std::size_t>(decltype(Row::function)::MAX) + 1;
}

// Sets `result` to a tensor of float32 with `shape`, after checking that it is not too large to
// index.
Status set_result(Tensor& result, DataType type, const Shape& shape);

}  // namespace figment::ops
