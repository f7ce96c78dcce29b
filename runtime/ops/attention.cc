// Attention: softmax(scale * query key^T + mask) value, a few rows of the query at a time, so that
// the scores of all rows never stand in memory at once.
//
// The numbers are those of MatMul, a product with the scale, a sum with the mask, Softmax over the
// last axis and MatMul.
#include "runtime/ops/attention.h"

#include <algorithm>

#include "runtime/math/broadcast.h"
#include "runtime/math/elementary.h"
#include "runtime/math/gemm.h"
#include "runtime/ops/checks.h"
#include "runtime/ops/lines.h"

namespace figment::ops {
namespace {

// Rows of the query whose scores are held at a time.
constexpr std::int64_t kBlockRows = 32;
// Columns of the value that are turned at a time, so that the second product is whole rows against
// whole rows too. Turning them again for every block costs little against the block's products.
constexpr std::int64_t kPanelColumns = 8;

std::int64_t scratch_size(const AttentionSizes& sizes) {
  const std::int64_t held = std::min(kBlockRows, sizes.rows) + std::min(kPanelColumns, sizes.width);
  return held * sizes.keys * std::int64_t{sizeof(float)};
}

Status check_mask(const Operation& operation, const Shape& scores) {
  if (!operation.has(kMask)) return {};
  FIG_TRY(require_float(operation, kMask));
  const Shape& mask = operation.in(kMask).shape;
  Shape together;
  if (!math::broadcast_shapes(scores, mask, together) || !(together == scores))
    return bad_file({"the mask has shape ", mask, " but must broadcast to the scores' ", scores});
  return {};
}

Status shape(const Operation& operation, Tensor& result) {
  for (const std::size_t index : {kQuery, kKey, kValue}) FIG_TRY(require_float(operation, index));
  const Shape& query = operation.in(kQuery).shape;
  const Shape& key = operation.in(kKey).shape;
  const Shape& value = operation.in(kValue).shape;
  if (query.rank < 2 || key.rank != query.rank || value.rank != query.rank)
    return bad_file({"query, key and value have shapes ", query, ", ", key, " and ", value,
                     " but need the same number of axes, at least two"});
  for (int axis = 0; axis < query.rank - 2; ++axis)
    if (key[axis] != query[axis] || value[axis] != query[axis])
      return bad_file({"query, key and value have shapes ", query, ", ", key, " and ", value,
                       ": all axes but the last two must be the same"});
  const int last = query.rank - 1;
  if (key[last] != query[last])
    return bad_file(
        {"query and key have shapes ", query, " and ", key, ": the last extents must agree"});
  if (key[last - 1] != value[last - 1])
    return bad_file({"key and value have shapes ", key, " and ", value,
                     ": the extents before the last must agree"});
  FIG_TRY(require_positive(key[last - 1], "the number of keys"));
  const float scale = operation.as<format::Attention>().scale();
  if (!(math::absolute(scale) < math::kInfinity))
    return bad_file({"the scale is no finite number"});
  Shape scores = query;
  scores[last] = key[last - 1];
  FIG_TRY(check_mask(operation, scores));
  FIG_TRY(require_scratch(scratch_size(attention_sizes(operation))));
  Shape output = query;
  output[last] = value[last];
  return set_result(result, DataType::kFloat32, output);
}

std::size_t scratch_bytes(const Operation& operation) {
  return static_cast<std::size_t>(scratch_size(attention_sizes(operation)));
}

// Writes `columns` columns of a matrix [keys, width] as rows of panel.
void turn_columns(const float* value, const AttentionSizes& sizes, std::int64_t columns,
                  float* panel) {
  for (std::int64_t key = 0; key < sizes.keys; ++key)
    for (std::int64_t column = 0; column < columns; ++column)
      panel[column * sizes.keys + key] = value[key * sizes.width + column];
}

void forward(const Operation& operation) {
  const AttentionSizes sizes = attention_sizes(operation);
  const float scale = operation.as<format::Attention>().scale();
  float* scores = reinterpret_cast<float*>(operation.scratch);
  float* panel = scores + std::min(kBlockRows, sizes.rows) * sizes.keys;

  math::Gemm compare;  // query key^T
  compare.columns = sizes.keys;
  compare.depth = sizes.depth;
  compare.a_stride = sizes.depth;
  compare.b = operation.in(kKey);
  compare.c = scores;
  compare.c_stride = sizes.keys;
  math::Gemm gather;  // weights value
  gather.depth = sizes.keys;
  gather.a = scores;
  gather.a_stride = sizes.keys;
  gather.b.data = panel;
  gather.c_stride = sizes.width;

  for (std::int64_t head = 0; head < sizes.heads; ++head) {
    compare.b_first = head * sizes.keys * sizes.depth;
    const float* value = operation.in(kValue).floats() + head * sizes.keys * sizes.width;
    for (std::int64_t row = 0; row < sizes.rows; row += kBlockRows) {
      const std::int64_t rows = std::min(kBlockRows, sizes.rows - row);
      const std::int64_t first = head * sizes.rows + row;
      compare.rows = gather.rows = rows;
      compare.a = operation.in(kQuery).floats() + first * sizes.depth;
      math::gemm(compare, nullptr);
      scale_numbers(scores, scale, rows * sizes.keys, scores);
      if (operation.has(kMask)) add_mask(operation, first, rows, sizes.keys, scores);
      for (std::int64_t i = 0; i < rows; ++i)
        softmax_line(scores + i * sizes.keys, scores + i * sizes.keys, sizes.keys, /*stride=*/1);
      for (std::int64_t column = 0; column < sizes.width; column += kPanelColumns) {
        gather.columns = std::min(kPanelColumns, sizes.width - column);
        gather.c = operation.out().floats() + first * sizes.width + column;
        turn_columns(value + column, sizes, gather.columns, panel);
        math::gemm(gather, nullptr);
      }
    }
  }
}

double multiply_adds(const Operation& operation) {
  const AttentionSizes sizes = attention_sizes(operation);
  return static_cast<double>(sizes.heads) * static_cast<double>(sizes.rows) *
         static_cast<double>(sizes.keys) * static_cast<double>(sizes.depth + sizes.width);
}

}  // namespace

void scale_numbers(const float* x, float scale, std::int64_t count, float* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * scale;
}

void add_mask(const Operation& operation, std::int64_t first, std::int64_t count, std::int64_t keys,
              float* scores) {
  const Tensor& mask = operation.in(kMask);
  const Shape& query = operation.in(kQuery).shape;  // its axes but the last are those of the scores
  const std::int64_t columns = math::aligned_extent(mask.shape, query.rank - 1, query.rank);
  for (std::int64_t row = 0; row < count; ++row, scores += keys) {
    std::int64_t rest = first + row;
    std::int64_t offset = 0;
    std::int64_t distance = columns;
    for (int axis = query.rank - 2; axis >= 0; --axis) {
      const std::int64_t own = math::aligned_extent(mask.shape, axis, query.rank);
      if (own != 1) offset += rest % query[axis] * distance;
      rest /= query[axis];
      distance *= own;
    }
    const float* added = mask.floats() + offset;
    if (columns == 1) {
      for (std::int64_t key = 0; key < keys; ++key) scores[key] += *added;
    } else {
      for (std::int64_t key = 0; key < keys; ++key) scores[key] += added[key];
    }
  }
}

extern const OperatorRoom kAttention;
const OperatorRoom kAttention{3, 4, Memory::kOwn, shape, scratch_bytes, forward, multiply_adds};

}  // namespace figment::ops
