// What both rooms of Attention share: its extents, and the loops between its products.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::ops {

enum AttentionOperand { kQuery, kKey, kValue, kMask };

// The extents of an Attention whose shapes were checked. A head is one matrix of the leading axes.
struct AttentionSizes {
  std::int64_t heads;
  std::int64_t rows;   // of the query, in each head: L
  std::int64_t keys;   // S
  std::int64_t depth;  // of query and key: D
  std::int64_t width;  // of value: E
};

inline AttentionSizes attention_sizes(const Operation& operation) {
  const Shape& query = operation.in(kQuery).shape;
  const Shape& value = operation.in(kValue).shape;
  const int rank = query.rank;
  const std::int64_t rows = query[rank - 2];
  const std::int64_t depth = query[rank - 1];
  return {query.elements() / (rows * depth), rows, value[rank - 2], depth, value[rank - 1]};
}

// y = x * scale; y may be x.
void scale_numbers(const float* x, float scale, std::int64_t count, float* y);

// Adds the mask to `count` rows of scores, the first of which is row `first` of all heads' rows.
void add_mask(const Operation& operation, std::int64_t first, std::int64_t count, std::int64_t keys,
              float* scores);

}  // namespace figment::ops
