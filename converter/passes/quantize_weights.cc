// Stores the weights of matrix products, convolutions and recurrent layers as int8: a quarter of
// the file. Each output channel has the scale that takes its largest weight to 127; the runtime
// multiplies integers. Biases and everything else stay as they are.
#include <algorithm>
#include <cmath>
#include <sstream>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/weights.h"
#include "runtime/math/gemm.h"
#include "runtime/math/stored_weights.h"

namespace figment::converter {
namespace {

// Whether the runtime multiplies these weights as int8, and they take less room so.
bool quantizable(const Node& node, const GraphTensor& weights) {
  const Shape& shape = weights.shape;
  if (is_kind<format::MatMulT>(node)) return false;
  const std::int64_t elements = shape.elements();
  const auto channels = static_cast<std::int64_t>(channel_count(node, shape));
  const std::int64_t depth =
      is_kind<format::ConvTranspose2DT>(node) ? shape[4] : elements / channels;
  const std::int64_t scale_bytes = channels * std::int64_t{sizeof(float)};
  return depth <= math::kMaxInt8Depth &&
         elements + scale_bytes < elements * std::int64_t{sizeof(float)} &&
         std::all_of(weights.floats(), weights.floats() + elements,
                     [](float value) { return std::isfinite(value); });
}

std::optional<GraphTensor> quantize(const Node& node, const GraphTensor& weights) {
  if (!quantizable(node, weights)) return std::nullopt;
  const std::size_t count = static_cast<std::size_t>(weights.shape.elements());
  GraphTensor result = weights;
  result.type = DataType::kInt8;
  result.data->resize(count);
  result.scales.assign(channel_count(node, weights.shape), 0.0f);
  for (std::size_t i = 0; i < count; ++i) {
    float& largest = result.scales[channel_of(node, weights.shape, i)];
    largest = std::max(largest, std::fabs(weights.floats()[i]));
  }
  for (float& scale : result.scales) scale = math::int8_scale(scale);
  for (std::size_t i = 0; i < count; ++i) {
    const float scale = result.scales[channel_of(node, weights.shape, i)];
    (*result.data)[i] = static_cast<std::byte>(math::narrow_to_int8(weights.floats()[i], scale));
  }
  return result;
}

}  // namespace

PassResult quantize_weights(Graph& graph) {
  const StoredWeights weights = store_weights(graph, quantize);
  std::ostringstream sentence;
  sentence << "stored " << counted(weights.stored, "weight tensor")
           << " as int8, with a scale for each output channel";
  if (weights.kept > 0)
    sentence << "; " << counted(weights.kept, "tensor")
             << " of MatMul, too deep, too small or not finite stayed float32";
  return {weights.stored, sentence.str()};
}

}  // namespace figment::converter
