// Stores the weights of matrix products, convolutions and recurrent layers as float16: half the
// file; the runtime widens them again. Biases and everything else stay as they are.
#include <cmath>
#include <cstring>
#include <sstream>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/weights.h"
#include "runtime/math/half.h"

namespace figment::converter {
namespace {

// None where a finite value would not stay finite. Raises `largest_error` to that of the rounding.
std::optional<GraphTensor> narrow(const GraphTensor& tensor, double& largest_error) {
  GraphTensor result = tensor;
  const std::size_t count = static_cast<std::size_t>(tensor.shape.elements());
  result.type = DataType::kFloat16;
  result.data->resize(count * sizeof(std::uint16_t));
  double error = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = tensor.floats()[i];
    const std::uint16_t half = math::narrow_to_half(value);
    const float widened = math::widen_half(half);
    std::memcpy(result.data->data() + i * sizeof half, &half, sizeof half);
    if (std::isfinite(value) && !std::isfinite(widened)) return std::nullopt;
    error = std::fmax(error, std::fabs(static_cast<double>(widened) - static_cast<double>(value)));
  }
  largest_error = std::fmax(largest_error, error);
  return result;
}

}  // namespace

PassResult narrow_weights(Graph& graph) {
  double largest_error = 0;
  const StoredWeights weights =
      store_weights(graph, [&](const Node& /*node*/, const GraphTensor& tensor) {
        return narrow(tensor, largest_error);
      });
  std::ostringstream sentence;
  sentence << "stored " << counted(weights.stored, "weight tensor")
           << " as float16; the largest rounding error is " << largest_error;
  if (weights.kept > 0)
    sentence << "; " << counted(weights.kept, "tensor")
             << " with values beyond 65504 stayed float32";
  return {weights.stored, sentence.str()};
}

}  // namespace figment::converter
