// Attention: y = p value, p = softmax(s), s = scale query key^T + mask, in each head. With dy [L,
// E], query [L, D], key [S, D], value [S, E]:
//   dvalue = p^T dy
//   dp     = dy value^T
//   ds     = p (dp - the sum of dp p over each row)
//   dquery = scale ds key
//   dkey   = scale ds^T query
// The mask is taken as given: it has no gradient.
//
// Nothing is kept of the forward pass: the scores of some rows at a time are computed again, so
// that those of all rows never stand in memory at once. Threads take whole heads, or share each
// product where there is but one head.
#include "runtime/ops/attention.h"

#include <algorithm>

#include "runtime/math/elementary.h"
#include "runtime/train/backward.h"
#include "runtime/train/lanes.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

using ops::AttentionSizes;
using ops::kKey;
using ops::kMask;
using ops::kQuery;
using ops::kValue;

// Rows of the query whose scores are held at a time.
constexpr std::int64_t kBlockRows = 64;

// What one head is computed with.
struct Head {
  const Call& call;
  const AttentionSizes sizes;
  std::int64_t index;
  float* scores;     // [kBlockRows, S]
  float* gradients;  // the same; backward only
  std::byte* multiply_scratch;
  pthreadpool* threads;  // for the products

  // Operand `operand` of this head: rows of `columns` floats.
  const float* operand(std::size_t operand, std::int64_t rows, std::int64_t columns) const {
    return call.in(operand).floats() + index * rows * columns;
  }
  const float* query() const { return operand(kQuery, sizes.rows, sizes.depth); }
  const float* key() const { return operand(kKey, sizes.keys, sizes.depth); }
  const float* value() const { return operand(kValue, sizes.keys, sizes.width); }

  void multiply(const Multiplication& product) const {
    train::multiply(product, *call.loops, multiply_scratch, threads);
  }
};

std::int64_t block_floats(const Call& call) {
  const AttentionSizes sizes = ops::attention_sizes(call.operation);
  return std::min(kBlockRows, sizes.rows) * sizes.keys;
}

bool shares_heads(const Call& call) { return ops::attention_sizes(call.operation).heads > 1; }

// Each thread's products, then each one's `blocks` of scores.
std::size_t scratch_of(const Call& call, std::size_t blocks) {
  pthreadpool* threads = call.operation.threads;
  const std::size_t parts = shares_heads(call) ? thread_count(threads) : 1;
  return multiply_scratch_bytes(threads) +
         parts * blocks * static_cast<std::size_t>(block_floats(call)) * sizeof(float);
}

// body(head) for every head.
template <typename Function>
void for_each_head(const Call& call, std::int64_t blocks, const Function& body) {
  const AttentionSizes sizes = ops::attention_sizes(call.operation);
  pthreadpool* threads = call.operation.threads;
  std::byte* products = call.operation.scratch;
  float* scores = reinterpret_cast<float*>(products + multiply_scratch_bytes(threads));
  const std::int64_t block = block_floats(call);
  const bool shared = shares_heads(call);
  share(shared ? threads : nullptr, sizes.heads,
        [&](std::size_t thread, std::int64_t first, std::int64_t last) {
          float* own = scores + static_cast<std::int64_t>(thread) * blocks * block;
          for (std::int64_t head = first; head < last; ++head)
            body(Head{call, sizes, head, own, own + block,
                      products + thread * multiply_scratch_bytes(nullptr),
                      shared ? nullptr : threads});
        });
}

// ---- Rows of scores ----

// x = softmax(x)
void softmax_row(float* x, std::int64_t count) {
  const std::int64_t whole = count / kLanes * kLanes;
  Lanes highest;
  std::fill_n(highest, kLanes, x[0]);
  for (std::int64_t i = 0; i < whole; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane)
      highest[lane] = x[i + lane] > highest[lane] ? x[i + lane] : highest[lane];
  for (std::int64_t i = whole; i < count; ++i) highest[0] = x[i] > highest[0] ? x[i] : highest[0];
  const float most = *std::max_element(highest, highest + kLanes);
  for (std::int64_t i = 0; i < count; ++i) x[i] = math::exp(x[i] - most);
  Lanes sums = {};
  for (std::int64_t i = 0; i < whole; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane];
  for (std::int64_t i = whole; i < count; ++i) sums[i - whole] += x[i];
  const float part = 1.0F / add_lanes(sums);
  for (std::int64_t i = 0; i < count; ++i) x[i] *= part;
}

// dp = p (dp - the sum of dp p) scale
void softmax_row_gradient(const float* p, std::int64_t count, float scale, float* dp) {
  const std::int64_t whole = count / kLanes * kLanes;
  Lanes sums = {};
  for (std::int64_t i = 0; i < whole; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += dp[i + lane] * p[i + lane];
  for (std::int64_t i = whole; i < count; ++i) sums[i - whole] += dp[i] * p[i];
  const float sum = add_lanes(sums);
  for (std::int64_t i = 0; i < count; ++i) dp[i] = p[i] * (dp[i] - sum) * scale;
}

// head.scores = p of `count` rows of the query from `first` on.
void probabilities(const Head& head, std::int64_t first, std::int64_t count) {
  const AttentionSizes& sizes = head.sizes;
  head.multiply({.rows = count,
                 .columns = sizes.keys,
                 .depth = sizes.depth,
                 .a = matrix(head.query() + first * sizes.depth, sizes.depth),
                 .b = matrix(head.key(), sizes.depth).transposed(),
                 .c = head.scores,
                 .c_stride = sizes.keys});
  const Operation& operation = head.call.operation;
  ops::scale_numbers(head.scores, operation.as<format::Attention>().scale(), count * sizes.keys,
                     head.scores);
  if (operation.has(kMask))
    ops::add_mask(operation, head.index * sizes.rows + first, count, sizes.keys, head.scores);
  for (std::int64_t row = 0; row < count; ++row)
    softmax_row(head.scores + row * sizes.keys, sizes.keys);
}

// ---- Forward ----

std::size_t forward_scratch_bytes(const Call& call) { return scratch_of(call, 1); }

void forward(const Call& call) {
  for_each_head(call, 1, [&](const Head& head) {
    const AttentionSizes& sizes = head.sizes;
    float* y = call.out().floats() + head.index * sizes.rows * sizes.width;
    for (std::int64_t row = 0; row < sizes.rows; row += kBlockRows) {
      const std::int64_t count = std::min(kBlockRows, sizes.rows - row);
      probabilities(head, row, count);
      head.multiply({.rows = count,
                     .columns = sizes.width,
                     .depth = sizes.keys,
                     .a = matrix(head.scores, sizes.keys),
                     .b = matrix(head.value(), sizes.width),
                     .c = y + row * sizes.width,
                     .c_stride = sizes.width});
    }
  });
}

// ---- Backward ----

Reads reads(const Call&, Inputs wanted) {
  Reads result;
  result.inputs = input_bit(kQuery) | input_bit(kKey) | input_bit(kMask);
  if (wanted & (input_bit(kQuery) | input_bit(kKey))) result.inputs |= input_bit(kValue);
  return result;
}

std::size_t scratch_bytes(const Call& call) { return scratch_of(call, 2); }

// Those of `count` rows of the query from `first` on: dquery's rows are written, what they give to
// dkey and dvalue is added, from the second block on.
void rows_gradient(const Head& head, std::int64_t first, std::int64_t count) {
  const AttentionSizes& sizes = head.sizes;
  const auto gradient = [&](std::size_t operand, std::int64_t rows, std::int64_t columns) {
    float* all = head.call.gradient(operand);
    return all != nullptr ? all + head.index * rows * columns : nullptr;
  };
  float* dquery = gradient(kQuery, sizes.rows, sizes.depth);
  float* dkey = gradient(kKey, sizes.keys, sizes.depth);
  float* dvalue = gradient(kValue, sizes.keys, sizes.width);
  const Matrix dy = matrix(
      head.call.output_gradient + (head.index * sizes.rows + first) * sizes.width, sizes.width);

  probabilities(head, first, count);
  if (dvalue != nullptr)
    head.multiply({.rows = sizes.keys,
                   .columns = sizes.width,
                   .depth = count,
                   .a = matrix(head.scores, sizes.keys).transposed(),
                   .b = dy,
                   .c = dvalue,
                   .c_stride = sizes.width,
                   .add = first > 0});
  if (dquery == nullptr && dkey == nullptr) return;
  head.multiply({.rows = count,
                 .columns = sizes.keys,
                 .depth = sizes.width,
                 .a = dy,
                 .b = matrix(head.value(), sizes.width).transposed(),
                 .c = head.gradients,
                 .c_stride = sizes.keys});
  const float scale = head.call.as<format::Attention>().scale();
  for (std::int64_t row = 0; row < count; ++row)
    softmax_row_gradient(head.scores + row * sizes.keys, sizes.keys, scale,
                         head.gradients + row * sizes.keys);
  const Matrix ds = matrix(head.gradients, sizes.keys);
  if (dquery != nullptr)
    head.multiply({.rows = count,
                   .columns = sizes.depth,
                   .depth = sizes.keys,
                   .a = ds,
                   .b = matrix(head.key(), sizes.depth),
                   .c = dquery + first * sizes.depth,
                   .c_stride = sizes.depth});
  if (dkey != nullptr)
    head.multiply({.rows = sizes.keys,
                   .columns = sizes.depth,
                   .depth = count,
                   .a = ds.transposed(),
                   .b = matrix(head.query() + first * sizes.depth, sizes.depth),
                   .c = dkey,
                   .c_stride = sizes.depth,
                   .add = first > 0});
}

void backward(const Call& call) {
  for_each_head(call, 2, [&](const Head& head) {
    for (std::int64_t row = 0; row < head.sizes.rows; row += kBlockRows)
      rows_gradient(head, row, std::min(kBlockRows, head.sizes.rows - row));
  });
}

}  // namespace

extern const BackwardRoom kAttention;
const BackwardRoom kAttention{
    .differentiable = input_bit(kQuery) | input_bit(kKey) | input_bit(kValue),
    .reads = reads,
    .forward = forward,
    .forward_scratch_bytes = forward_scratch_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
};

}  // namespace figment::train
