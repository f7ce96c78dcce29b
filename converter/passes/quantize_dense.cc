// Stores the weights of dense layers as int4, with a scale for each block of 32 inputs: a seventh
// of the file. Each block has the scale, among a few, that leaves the least squared error; the
// runtime multiplies integers.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <sstream>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/weights.h"
#include "runtime/math/int4.h"

namespace figment::converter {
namespace {

using Block = std::span<const float>;

// The scales that are tried take the block's largest weight to each of these. 7 and 8 are the ends
// of what int4 holds; beyond them the largest weights are cut off, and the steps of all others are
// finer.
constexpr int kTried = 13;
constexpr double kFirst = 6.5;
constexpr double kApart = 0.25;

// The nearest of those that files hold. It stays below infinity: weights do.
std::uint16_t narrow_scale(double scale) {
  const float bounded = std::clamp(static_cast<float>(scale), std::numeric_limits<float>::min(),
                                   math::widen_bfloat16(0x7f7f));
  return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(bounded) + 0x8000U) >> 16);
}

int quantize(float weight, float scale) {
  const float q = std::nearbyint(weight / scale);
  return static_cast<int>(
      std::clamp(q, static_cast<float>(math::kMinInt4), static_cast<float>(math::kMaxInt4)));
}

double squared_error(Block block, float scale) {
  double sum = 0;
  for (const float weight : block) {
    const double error = double{weight} - double{scale} * quantize(weight, scale);
    sum += error * error;
  }
  return sum;
}

std::uint16_t choose_scale(Block block) {
  float largest = 0;
  for (const float weight : block) largest = std::max(largest, std::fabs(weight));
  if (largest == 0) return narrow_scale(1);
  std::uint16_t best = 0;
  double least = 0;
  for (int i = 0; i < kTried; ++i) {
    const std::uint16_t scale = narrow_scale(double{largest} / (kFirst + i * kApart));
    const double error = squared_error(block, math::widen_bfloat16(scale));
    if (i > 0 && !(error < least)) continue;
    least = error;
    best = scale;
  }
  return best;
}

std::optional<GraphTensor> store(const Node& node, const GraphTensor& weights) {
  const std::size_t count = static_cast<std::size_t>(weights.shape.elements());
  if (!is_kind<format::DenseT>(node) || weights.shape[1] < math::kInt4Block ||
      !std::all_of(weights.floats(), weights.floats() + count,
                   [](float value) { return std::isfinite(value); }))
    return std::nullopt;
  GraphTensor result = weights;
  result.type = DataType::kInt4;
  result.data.emplace(static_cast<std::size_t>(math::int4_bytes(weights.shape)));
  std::byte* scales = result.data->data();
  const auto depth = static_cast<std::size_t>(weights.shape[1]);
  std::byte* packed =
      scales + math::int4_scale_count(weights.shape) * std::int64_t{sizeof(std::uint16_t)};
  for (std::size_t row = 0; row < count; row += depth) {
    for (std::size_t first = 0; first < depth; first += math::kInt4Block) {
      const Block block(weights.floats() + row + first,
                        std::min<std::size_t>(math::kInt4Block, depth - first));
      const std::uint16_t scale = choose_scale(block);
      std::memcpy(scales, &scale, sizeof scale);
      scales += sizeof scale;
      for (std::size_t i = 0; i < block.size(); ++i) {
        const int q = quantize(block[i], math::widen_bfloat16(scale)) & 15;
        packed[(first + i) / 2] |= static_cast<std::byte>(i % 2 == 0 ? q : q << 4);
      }
    }
    packed += math::int4_row_bytes(weights.shape[1]);
  }
  return result;
}

}  // namespace

PassResult quantize_dense(Graph& graph) {
  const StoredWeights weights = store_weights(graph, store);
  std::ostringstream sentence;
  sentence << "stored " << counted(weights.stored, "weight tensor")
           << " of dense layers as int4, with a scale for each block of " << math::kInt4Block;
  return {weights.stored, sentence.str()};
}

}  // namespace figment::converter
