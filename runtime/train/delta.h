// Deltas at the border: foreign bytes are verified once, before anything is read from them.
#pragma once

#include <cstring>

#include "figment/figment.h"
#include "figment/format/delta_generated.h"

namespace figment::train {

// The highest that this runtime reads.
inline constexpr std::uint32_t kDeltaVersion = 1;
// The bytes of a delta begin at a multiple of this.
inline constexpr std::size_t kDeltaAlignment = 8;

// A constant as the matrix as which spectral normalization and low-rank factors see it (delta.fbs):
// [outputs, the rest]; of transposed convolutions [groups * kernel * kernel * outputs, C].
struct MatrixExtents {
  std::int64_t rows, columns;
};
MatrixExtents matrix_extents(const Shape& shape);

// The shape of a delta's tensor, once it is verified.
Shape shape_of(const format::TensorDelta& tensor);

// A sound delta: the bytes are those that were written, every section has a base and tensors in
// order, every tensor has as many numbers as its shape says, all finite. Whether they fit a model
// is another question.
Result<const format::Delta*> open_delta(std::span<const std::byte> bytes);

inline bool same_hash(const format::Hash& a, const format::Hash& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace figment::train
