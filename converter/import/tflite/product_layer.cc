// Chooses how a layer multiplies, and emits it.
#include "converter/import/tflite/product_layer.h"

#include <algorithm>

#include "converter/passes/integer_weights.h"
#include "runtime/math/gemm.h"

namespace figment::converter {

ProductLayer::ProductLayer(TfliteNode& node, int x, int weights, int bias, int channel_axis,
                           tflite::ActivationFunctionType activation)
    : node_(node),
      x_place_(x),
      bias_place_(bias),
      activation_(activation),
      integers_(node.int8_weights(weights)),
      channel_axis_(channel_axis) {
  const Shape shape = node.input_shape(weights);
  if (channel_axis < shape.rank) channels_ = static_cast<std::size_t>(shape[channel_axis]);
  if (channels_ > 0) way_ = choose_way();
  x_ = way_ == Way::kIntegers ? node.int8(x) : node.input(x);
  weights_ = way_ == Way::kFloat ? node.input(weights) : node.constant_of(*integers_, shape);
}

ProductLayer::Way ProductLayer::choose_way() const {
  if (!integers_) return Way::kFloat;
  const TfliteIntegers& weights = *integers_;
  const bool by_channel = weights.scales.size() == 1 || weights.axis == channel_axis_;
  const bool symmetric =
      std::ranges::all_of(weights.zero_points, [](int zero) { return zero == 0; });
  if (!by_channel || !symmetric) return Way::kFloat;
  const auto depth = static_cast<std::int64_t>(weights.values.size() / channels_);
  if (node_.has_int8(x_place_))
    return node_.gives_int8() && node_.clamp(activation_) && bias_fits(depth) ? Way::kIntegers
                                                                              : Way::kFloat;
  // What the runtime takes as weights with a scale for each channel.
  const bool storable =
      std::ranges::all_of(weights.scales, [](float scale) { return scale > 0; }) &&
      std::ranges::find(weights.values, std::byte{0x80}) == weights.values.end();
  return storable && depth <= math::kMaxInt8Depth ? Way::kInt8Weights : Way::kFloat;
}

std::optional<std::vector<std::int32_t>> ProductLayer::integer_bias() const {
  if (!node_.has_input(bias_place_)) return std::vector<std::int32_t>(channels_, 0);
  const TensorId bias = node_.input(bias_place_);
  const GraphTensor& tensor = node_.known(bias);
  if (!tensor.constant() || tensor.type != DataType::kInt32) return std::nullopt;
  const std::int64_t count = tensor.shape.elements();
  if (static_cast<std::size_t>(count) != channels_)
    node_.refuse("its bias has " + std::to_string(count) + " numbers for " +
                 std::to_string(channels_) + " channels; the file is damaged");
  return std::vector<std::int32_t>(tensor.integers(), tensor.integers() + count);
}

bool ProductLayer::bias_fits(std::int64_t depth) const {
  const auto bias = integer_bias();
  return bias &&
         std::ranges::all_of(*bias, [&](std::int32_t value) { return fits_in_sum(depth, value); });
}

float ProductLayer::scale_of(std::size_t channel) const {
  return integers_->scales[integers_->scales.size() == 1 ? 0 : channel];
}

// A bias of int32 has the scale of the products.
TensorId ProductLayer::float_bias() {
  if (!node_.has_input(bias_place_)) return kAbsent;
  const auto whole = integer_bias();
  if (!whole)
    return node_.reshape_to(node_.input(bias_place_), {static_cast<std::int64_t>(channels_)});
  if (!integers_ || !node_.has_int8(x_place_) ||
      (integers_->scales.size() != 1 && integers_->axis != channel_axis_))
    node_.refuse("its bias is of int32 where its input or weights are not int8");
  const double scale = double{node_.range(x_place_).scale};
  std::vector<float> bias;
  for (std::size_t channel = 0; channel < channels_; ++channel)
    bias.push_back(static_cast<float>(scale * double{scale_of(channel)} * (*whole)[channel]));
  return node_.float_constant(bias, make_shape({static_cast<std::int64_t>(channels_)}));
}

void ProductLayer::emit_integers(const Node& product) {
  const Int8Range x = node_.range(x_place_);
  const Int8Range y = node_.output_range();
  const std::vector<std::int32_t> bias = *integer_bias();
  std::vector<std::int32_t> channels;
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    const FixedPoint factor =
        fixed_point(double{x.scale} * double{scale_of(channel)} / double{y.scale});
    channels.insert(channels.end(), {bias[channel], factor.multiplier, factor.shift});
  }
  const std::vector<std::int32_t> clamp = *node_.clamp(activation_);
  Graph& graph = node_.graph();
  const std::int64_t count = static_cast<std::int64_t>(channels_);
  const TensorId numbers =
      graph.add_integers(node_.label() + "/channels", make_shape({count, 3}), channels);
  const TensorId range = graph.add_integers(node_.label() + "/range", make_shape({4}),
                                            {x.zero_point, y.zero_point, clamp[0], clamp[1]});
  node_.set_output(
      0, graph.add_node(node_.label(), integer_options(product), {x_, weights_, numbers, range}));
}

void ProductLayer::emit(format::OperatorOptionsUnion options) {
  Node product;
  product.options = std::move(options);
  if (way_ == Way::kIntegers) return emit_integers(product);
  if (way_ == Way::kInt8Weights) {
    std::vector<float> scales;
    for (std::size_t channel = 0; channel < channels_; ++channel)
      scales.push_back(scale_of(channel));
    node_.graph().tensor(weights_).scales = std::move(scales);
  }
  const TensorId y = node_.graph().add_node(node_.label(), std::move(product.options),
                                            {x_, weights_, float_bias()});
  node_.set_output(0, node_.activate(y, activation_));
}

}  // namespace figment::converter
