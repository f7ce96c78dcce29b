// Weights as int8 with a scale for each output channel that only the converter knows: it goes into
// the channel's multiplier.
#include "converter/passes/integer_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "converter/passes/edit.h"
#include "converter/passes/weights.h"

namespace figment::converter {
namespace {

constexpr double kLargest = 127;
constexpr std::int64_t kMostProduct = std::int64_t{255} * 128;
// Sums leave at least this much room for the bias in 32 bits.
constexpr std::int64_t kRoomForBias = 1 << 22;

bool all_finite(const GraphTensor& constant) {
  return std::all_of(constant.floats(), constant.floats() + constant.shape.elements(),
                     [](float value) { return std::isfinite(value); });
}

bool is_float_constant(const Graph& graph, TensorId id) {
  return graph.tensor(id).constant() && graph.tensor(id).type == DataType::kFloat32;
}

}  // namespace

std::int64_t depth_of(const Node& node, const Shape& weights) {
  if (is_kind<format::ConvTranspose2DT>(node))
    return std::int64_t{weights[1]} * weights[2] * weights[4];
  return weights.elements() / weights[0];
}

bool fits_in_sum(std::int64_t depth, std::int64_t bias) {
  return depth <= INT32_MAX / kMostProduct && std::abs(bias) <= INT32_MAX - depth * kMostProduct;
}

format::OperatorOptionsUnion integer_options(const Node& node) {
  auto window = std::make_unique<format::Conv2DT>();
  if (is_kind<format::Conv2DT>(node)) {
    *window = node.as<format::Conv2DT>();
    format::QuantizedConv2DT options;
    options.window = std::move(window);
    return make_options(std::move(options));
  }
  if (is_kind<format::ConvTranspose2DT>(node)) {
    const auto& from = node.as<format::ConvTranspose2DT>();
    *window = {{},
               from.stride_height,
               from.stride_width,
               from.dilation_height,
               from.dilation_width,
               from.pad_top,
               from.pad_bottom - from.output_padding_height,
               from.pad_left,
               from.pad_right - from.output_padding_width,
               from.groups};
    format::QuantizedConvTranspose2DT options;
    options.window = std::move(window);
    return make_options(std::move(options));
  }
  return make_options(format::QuantizedDenseT{});
}

bool has_integer_weights(const Graph& graph, const Node& node) {
  const bool is_product = is_kind<format::DenseT>(node) || is_kind<format::Conv2DT>(node) ||
                          is_kind<format::ConvTranspose2DT>(node);
  if (!is_product || !is_float_constant(graph, node.inputs[1])) return false;
  const GraphTensor& weights = graph.tensor(node.inputs[1]);
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kAbsent;
  if (has_bias &&
      (!is_float_constant(graph, node.inputs[2]) || !all_finite(graph.tensor(node.inputs[2]))))
    return false;
  return all_finite(weights) &&
         depth_of(node, weights.shape) * kMostProduct <= INT32_MAX - kRoomForBias;
}

IntegerWeights add_integer_weights(Graph& graph, const Node& node, const Int8Range& x,
                                   const Int8Range& y) {
  const GraphTensor& weights = graph.tensor(node.inputs[1]);
  const std::size_t count = static_cast<std::size_t>(weights.shape.elements());
  const std::size_t channels = channel_count(node, weights.shape);
  std::vector<float> biases(channels, 0.0f);
  if (node.inputs.size() > 2 && node.inputs[2] != kAbsent)
    biases = float_values(graph.tensor(node.inputs[2]));

  std::vector<double> scales(channels, 0.0);
  for (std::size_t i = 0; i < count; ++i) {
    double& scale = scales[channel_of(node, weights.shape, i)];
    scale = std::max(scale, std::fabs(double{weights.floats()[i]}) / kLargest);
  }
  // A bias must fit into its channel's integers, if need be with coarser weights. Half of the room:
  // what rounding adds must not pass it.
  const double most_bias =
      static_cast<double>(INT32_MAX - depth_of(node, weights.shape) * kMostProduct) / 2;
  std::vector<std::int32_t> numbers;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    double& scale = scales[channel];
    const double bias = double{biases[channel]} / double{x.scale};
    if (scale == 0) scale = double{y.scale} / double{x.scale};
    scale = std::max(scale, std::fabs(bias) / most_bias);
    const FixedPoint factor = fixed_point(double{x.scale} * scale / double{y.scale});
    numbers.insert(numbers.end(), {static_cast<std::int32_t>(std::nearbyint(bias / scale)),
                                   factor.multiplier, factor.shift});
  }
  std::vector<std::byte> integers(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double scale = scales[channel_of(node, weights.shape, i)];
    const double q = std::nearbyint(double{weights.floats()[i]} / scale);
    integers[i] =
        static_cast<std::byte>(static_cast<std::int8_t>(std::clamp(q, -kLargest, kLargest)));
  }
  const std::string name = weights.name;
  const Shape shape = weights.shape;
  const TensorId added = graph.add_constant(name, DataType::kInt8, shape, std::move(integers));
  return {added, graph.add_integers(name + " channels",
                                    make_shape({static_cast<std::int64_t>(channels), 3}), numbers)};
}

}  // namespace figment::converter
