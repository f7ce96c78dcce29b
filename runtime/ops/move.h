// Checks that the operators share which move numbers about without computing any.
#pragma once

#include "runtime/ops/checks.h"

namespace figment::ops {

// float32, int32, int8 or uint8.
inline Status require_movable(const Operation& operation, std::size_t index) {
  const DataType type = operation.in(index).type;
  if (type != DataType::kFloat16 && type != DataType::kInt4) return {};
  return bad_file(
      {"input ", index, " must be float32, int32, int8 or uint8; convert the model again"});
}

inline std::size_t movable_bytes(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kInt32 ? 4 : 1;
}

// A list of the options with one entry for each of `rank` axes.
inline Status require_per_axis(const flatbuffers::Vector<std::int32_t>* list, int rank,
                               const char* what) {
  const std::size_t length = list == nullptr ? 0 : list->size();
  if (length != static_cast<std::size_t>(rank))
    return bad_file({what, " has ", length, " entries for a tensor of ", rank, " axes"});
  return {};
}

inline std::int32_t entry(const flatbuffers::Vector<std::int32_t>* list, int axis) {
  return list->Get(static_cast<flatbuffers::uoffset_t>(axis));
}

// Whether the file declares a shape for the output, where that is what decides it.
inline Status require_declared(const Tensor& result) {
  if (result.shape.rank < 0 || result.shape.rank > kMaxRank)
    return bad_file({"the shape of the output must be declared, with at most ", kMaxRank, " axes"});
  return {};
}

// The row that an index means: counted from the end when negative. What is out of range then is
// clamped, for the values of indices come from the caller at run time, and forward cannot fail.
inline std::int64_t row_of(std::int32_t index, std::int64_t extent) {
  const std::int64_t row = index < 0 ? index + extent : index;
  if (row < 0) return 0;
  return row < extent ? row : extent - 1;
}

}  // namespace figment::ops
