// What convolutions and fully connected layers share: three ways to multiply by weights.
#pragma once

#include <optional>
#include <vector>

#include "converter/import/tflite/node.h"

namespace figment::converter {

// x, weights and bias of one layer. Whoever imports it brings x and the weights to the runtime's
// shapes, whatever their type, and emits the layer.
class ProductLayer {
 public:
  // The operands' places in the node, of which the bias may be absent; along `channel_axis` of the
  // file's weights lie the output's channels.
  ProductLayer(TfliteNode& node, int x, int weights, int bias, int channel_axis,
               tflite::ActivationFunctionType activation);

  TensorId x() const { return x_; }
  TensorId weights() const { return weights_; }
  void shape_x(const Shape& shape) { x_ = node_.reshape(x_, shape); }
  void turn_weights(const std::vector<int>& permutation) {
    weights_ = node_.transpose(weights_, permutation);
  }
  void shape_weights(const Shape& shape) { weights_ = node_.reshape(weights_, shape); }

  // The node's output: Dense, Conv2D or ConvTranspose2D, or what stands for it in integers, and the
  // activation.
  void emit(format::OperatorOptionsUnion product);

 private:
  enum class Way : std::uint8_t {
    kFloat,
    kInt8Weights,  // the file's weights; x float32
    kIntegers,     // int8 from int8
  };

  Way choose_way() const;
  bool bias_fits(std::int64_t depth) const;
  // The constant of int32 that the bias is; nothing when it is none.
  std::optional<std::vector<std::int32_t>> integer_bias() const;
  float scale_of(std::size_t channel) const;
  TensorId float_bias();
  void emit_integers(const Node& product);

  TfliteNode& node_;
  int x_place_, bias_place_;
  tflite::ActivationFunctionType activation_;
  std::optional<TfliteIntegers> integers_;  // the weights, where they are int8
  int channel_axis_;
  std::size_t channels_ = 0;
  Way way_ = Way::kFloat;
  TensorId x_ = kAbsent, weights_ = kAbsent;
};

}  // namespace figment::converter
