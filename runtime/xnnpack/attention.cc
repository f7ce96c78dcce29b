// Attention a block of the query's rows at a time: product, softmax and product on XNNPACK, while
// the block's scores are in the cache.
#include "runtime/ops/attention.h"

#include <algorithm>

#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {
namespace {

using ops::AttentionSizes;

// Scores held at a time: heads are taken together up to the first, the rows of a larger head up to
// the second. XNNPACK packs key and value anew for every block, so that no block has fewer than
// kLeastRows: over 4096 keys of depth 512, blocks of 128 rows take 15 % longer than the three
// operators one by one, blocks of 256 rows 3 %; of depth 64 both take less.
constexpr std::int64_t kScoresOfHeads = 512 * 1024 / std::int64_t{sizeof(float)};
constexpr std::int64_t kScoresOfRows = 2048 * 1024 / std::int64_t{sizeof(float)};
constexpr std::int64_t kLeastRows = 256;

// Whole heads, or rows of one.
struct Block {
  std::int64_t heads, rows;
};

struct State {
  AttentionSizes sizes;
  xnn_operator_t compare;  // query key^T
  xnn_operator_t softmax;
  xnn_operator_t gather;  // weights value
  Block block;            // the largest
  // Scratch holds the key packed or the value packed, then the block's query times the scale (not
  // when that is 1), then the scores.
  std::size_t packed_bytes;
  std::size_t scaled_bytes;
};

bool accepts(const Operation& /*operation*/) { return true; }

// Blocks of about the same size.
Block choose_block(const AttentionSizes& sizes) {
  const std::int64_t head = sizes.rows * sizes.keys;
  const std::int64_t heads = std::clamp<std::int64_t>(kScoresOfHeads / head, 1, sizes.heads);
  const std::int64_t fitting = std::max(kScoresOfRows / sizes.keys, kLeastRows);
  const std::int64_t blocks = (sizes.rows + fitting - 1) / fitting;
  return {heads, (sizes.rows + blocks - 1) / blocks};
}

xnn_status reshape_product(xnn_operator_t product, const Block& block, std::int64_t depth,
                           std::int64_t columns, std::size_t& bytes, pthreadpool* threads) {
  const auto batch = static_cast<std::size_t>(block.heads);
  std::size_t alignment = 0;
  return xnn_reshape_batch_matrix_multiply_nc_f32(
      product, 1, &batch, &batch, static_cast<std::size_t>(block.rows),
      static_cast<std::size_t>(depth), static_cast<std::size_t>(columns), &bytes, &alignment,
      threads);
}

Status create(const Operation& operation, Build& build) {
  State* state = build.arena.allocate_array<State>(1);
  if (state == nullptr) return backend_error({"the arena is full"});
  *state = State{};
  state->sizes = ops::attention_sizes(operation);
  build.state = state;
  state->block = choose_block(state->sizes);
  FIG_TRY(status_of_created(
      xnn_create_batch_matrix_multiply_nc_f32(XNN_FLAG_TRANSPOSE_B, &state->compare),
      state->compare, "Attention"));
  FIG_TRY(status_of_created(xnn_create_batch_matrix_multiply_nc_f32(0, &state->gather),
                            state->gather, "Attention"));
  FIG_TRY(status_of_created(xnn_create_softmax_nc_f32(0, &state->softmax), state->softmax,
                            "Attention"));
  const AttentionSizes& sizes = state->sizes;
  std::size_t key_bytes = 0;
  std::size_t value_bytes = 0;
  FIG_TRY(status_of(reshape_product(state->compare, state->block, sizes.depth, sizes.keys,
                                    key_bytes, operation.threads),
                    "Attention"));
  FIG_TRY(status_of(reshape_product(state->gather, state->block, sizes.keys, sizes.width,
                                    value_bytes, operation.threads),
                    "Attention"));
  state->packed_bytes = Arena::round_up(std::max(key_bytes, value_bytes));
  const std::size_t block_rows = static_cast<std::size_t>(state->block.heads * state->block.rows);
  if (operation.as<format::Attention>().scale() != 1.0F)
    state->scaled_bytes =
        Arena::round_up(block_rows * static_cast<std::size_t>(sizes.depth) * sizeof(float));
  build.scratch_bytes = state->packed_bytes + state->scaled_bytes +
                        block_rows * static_cast<std::size_t>(sizes.keys) * sizeof(float);
  build.lowering = "xnnpack by blocks";
  return {};
}

// Operands are bound as blocks run.
bool bind(const Operation& /*operation*/, void* /*state*/) { return true; }

// XNNPACK's reshapes are arithmetic alone, so that the block's size may differ from run to run.
bool multiply(xnn_operator_t product, const Block& block, std::int64_t depth, std::int64_t columns,
              const float* a, const float* b, float* c, const Operation& operation) {
  std::size_t bytes = 0;
  return reshape_product(product, block, depth, columns, bytes, operation.threads) ==
             xnn_status_success &&
         xnn_setup_batch_matrix_multiply_nc_f32(product, operation.scratch, a, b, c) ==
             xnn_status_success &&
         xnn_run_operator(product, operation.threads) == xnn_status_success;
}

bool make_weights(xnn_operator_t softmax, std::int64_t rows, std::int64_t keys, float* scores,
                  pthreadpool* threads) {
  const auto channels = static_cast<std::size_t>(keys);
  return xnn_reshape_softmax_nc_f32(softmax, channels, channels, channels,
                                    static_cast<std::size_t>(rows),
                                    threads) == xnn_status_success &&
         xnn_setup_softmax_nc_f32(softmax, scores, scores) == xnn_status_success &&
         xnn_run_operator(softmax, threads) == xnn_status_success;
}

bool run_block(const Operation& operation, const State& state, std::int64_t head, std::int64_t row,
               const Block& block) {
  const AttentionSizes& sizes = state.sizes;
  float* scaled = reinterpret_cast<float*>(operation.scratch + state.packed_bytes);
  float* scores = scaled + state.scaled_bytes / sizeof(float);
  const std::int64_t first = head * sizes.rows + row;
  const std::int64_t rows = block.heads * block.rows;
  const float* query = operation.in(ops::kQuery).floats() + first * sizes.depth;
  if (state.scaled_bytes > 0) {
    const float scale = operation.as<format::Attention>().scale();
    ops::scale_numbers(query, scale, rows * sizes.depth, scaled);
    query = scaled;
  }
  const float* key = operation.in(ops::kKey).floats() + head * sizes.keys * sizes.depth;
  const float* value = operation.in(ops::kValue).floats() + head * sizes.keys * sizes.width;
  float* output = operation.out().floats() + first * sizes.width;
  if (!multiply(state.compare, block, sizes.depth, sizes.keys, query, key, scores, operation))
    return false;
  if (operation.has(ops::kMask)) ops::add_mask(operation, first, rows, sizes.keys, scores);
  return make_weights(state.softmax, rows, sizes.keys, scores, operation.threads) &&
         multiply(state.gather, block, sizes.keys, sizes.width, scores, value, output, operation);
}

bool run(const Operation& operation, void* memory) {
  const State& state = *static_cast<State*>(memory);
  const AttentionSizes& sizes = state.sizes;
  for (std::int64_t head = 0; head < sizes.heads; head += state.block.heads)
    for (std::int64_t row = 0; row < sizes.rows; row += state.block.rows) {
      const Block block{std::min(state.block.heads, sizes.heads - head),
                        std::min(state.block.rows, sizes.rows - row)};
      if (!run_block(operation, state, head, row, block)) return false;
    }
  return true;
}

}  // namespace

extern const FastRoom kAttention;
const FastRoom kAttention{accepts, create, bind, run};

}  // namespace figment::xnnpack
