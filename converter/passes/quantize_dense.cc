// Stores the weights of dense layers as int4, with a scale for each block of 32 inputs: a seventh
// of the file. Each block has the scale, among a few, that leaves the least squared error; the
// runtime multiplies integers.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <sstream>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/weights.h"
#include "runtime/math/int4.h"
#include "runtime/math/stored_weights.h"

namespace figment::converter {
namespace {

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
      const std::span<const float> block(weights.floats() + row + first,
                                         std::min<std::size_t>(math::kInt4Block, depth - first));
      const std::uint16_t scale = math::choose_int4_scale(block);
      std::memcpy(scales, &scale, sizeof scale);
      scales += sizeof scale;
      for (std::size_t i = 0; i < block.size(); ++i) {
        const int q = math::narrow_to_int4(block[i], math::widen_bfloat16(scale)) & 15;
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
