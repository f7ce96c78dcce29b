// Functions of one number.
#include <limits>

#include "converter/import/onnx_axis.h"
#include "converter/import/onnx_constant_math.h"
#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::CompareFunction;
using format::UnaryFunction;

// Functions without parameters.
template <UnaryFunction kFunction>
void plain(OnnxNode& node) {
  if (fold_empty(node, node.type(node.input(0)))) return;
  node.set_output(0, node.unary(kFunction, node.input(0)));
}

// Functions with the attribute alpha.
template <UnaryFunction kFunction>
void with_alpha(OnnxNode& node) {
  constexpr float kOtherwise = kFunction == UnaryFunction::LeakyRelu ? 0.01F : 1.0F;
  node.set_output(0,
                  node.unary(kFunction, node.input(0), node.number_attribute("alpha", kOtherwise)));
}

// Opset 6 gave the constants more digits.
void selu(OnnxNode& node) {
  const bool old = node.opset() < 6;
  const float alpha = node.number_attribute("alpha", old ? 1.6732F : 1.67326319217681884765625F);
  const float gamma = node.number_attribute("gamma", old ? 1.0507F : 1.05070102214813232421875F);
  node.set_output(0, node.unary(UnaryFunction::Selu, node.input(0), alpha, gamma));
}

void hard_sigmoid(OnnxNode& node) {
  const float alpha = node.number_attribute("alpha", 0.2F);
  const float beta = node.number_attribute("beta", 0.5F);
  node.set_output(0, node.unary(UnaryFunction::HardSigmoid, node.input(0), alpha, beta));
}

void gelu(OnnxNode& node) {
  const std::string approximate = node.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    node.refuse("its approximation '" + approximate + "' is not supported; use 'none' or 'tanh'");
  node.set_output(0,
                  node.unary(approximate == "tanh" ? UnaryFunction::GeluTanh : UnaryFunction::Gelu,
                             node.input(0)));
}

// Limits are attributes before opset 11 and operands from there on; either may be absent.
void clip(OnnxNode& node) {
  TensorId x = node.input(0);
  if (fold_empty(node, node.type(x))) return;
  float low = std::numeric_limits<float>::lowest();
  float high = std::numeric_limits<float>::max();
  if (node.opset() < 11) {
    low = node.number_attribute("min", low);
    high = node.number_attribute("max", high);
  } else if (node.type(x) == DataType::kInt32 ||
             (node.has_input(1) && !node.constant(node.input(1))) ||
             (node.has_input(2) && !node.constant(node.input(2)))) {
    // Integers, or limits that the model computes.
    if (node.has_input(1)) x = node.binary(BinaryFunction::Max, x, node.input(1));
    if (node.has_input(2)) x = node.binary(BinaryFunction::Min, x, node.input(2));
    return node.set_output(0, x);
  } else {
    if (node.has_input(1)) low = node.number(node.input(1), "lower limit");
    if (node.has_input(2)) high = node.number(node.input(2), "upper limit");
  }
  // Where the limits cross, ONNX's minimum(high, maximum(low, x)) is the upper one.
  if (low > high) low = high;
  node.set_output(0, node.unary(UnaryFunction::Clip, x, low, high));
}

void tangent(OnnxNode& node) {
  const TensorId x = node.input(0);
  node.set_output(0, node.binary(BinaryFunction::Div, node.unary(UnaryFunction::Sin, x),
                                 node.unary(UnaryFunction::Cos, x)));
}

// x + bias below -lambd, x - bias above lambd, 0 between.
void shrink(OnnxNode& node) {
  const TensorId x = node.input(0);
  const float limit = node.number_attribute("lambd", 0.5F);
  const float bias = node.number_attribute("bias", 0);
  const TensorId below = node.compare(CompareFunction::Less, x, node.scalar(-limit));
  const TensorId above = node.compare(CompareFunction::Less, node.scalar(limit), x);
  const auto moved = [&](float by) {
    return by == 0 ? x : node.binary(BinaryFunction::Add, x, node.scalar(by));
  };
  node.set_output(
      0, node.select(below, moved(bias), node.select(above, moved(-bias), node.scalar(0))));
}

template <typename Options>
void softmax(OnnxNode& node) {
  along_axis(node, [&](TensorId x, int axis) {
    Options options;
    options.axis = axis;
    return node.emit(options, {x});
  });
}

constexpr OnnxOperator kRows[] = {
    {"Abs", plain<UnaryFunction::Abs>},
    {"Ceil", plain<UnaryFunction::Ceil>},
    {"Celu", with_alpha<UnaryFunction::Celu>},
    {"Clip", clip},
    {"Cos", plain<UnaryFunction::Cos>},
    {"Elu", with_alpha<UnaryFunction::Elu>},
    {"Erf", plain<UnaryFunction::Erf>},
    {"Exp", plain<UnaryFunction::Exp>},
    {"Floor", plain<UnaryFunction::Floor>},
    {"Gelu", gelu},
    {"HardSigmoid", hard_sigmoid},
    {"HardSwish", plain<UnaryFunction::HardSwish>},
    {"LeakyRelu", with_alpha<UnaryFunction::LeakyRelu>},
    {"Log", plain<UnaryFunction::Log>},
    {"LogSoftmax", softmax<format::LogSoftmaxT>},
    {"Mish", plain<UnaryFunction::Mish>},
    {"Neg", plain<UnaryFunction::Neg>},
    {"Reciprocal", plain<UnaryFunction::Reciprocal>},
    {"Relu", plain<UnaryFunction::Relu>},
    {"Round", plain<UnaryFunction::Round>},
    {"Selu", selu},
    {"Shrink", shrink},
    {"Sigmoid", plain<UnaryFunction::Sigmoid>},
    {"Sign", plain<UnaryFunction::Sign>},
    {"Sin", plain<UnaryFunction::Sin>},
    {"Softmax", softmax<format::SoftmaxT>},
    {"Softplus", plain<UnaryFunction::Softplus>},
    {"Softsign", plain<UnaryFunction::Softsign>},
    {"Sqrt", plain<UnaryFunction::Sqrt>},
    {"Tan", tangent},
    {"Tanh", plain<UnaryFunction::Tanh>},
    {"ThresholdedRelu", with_alpha<UnaryFunction::ThresholdedRelu>},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxActivations = kRows;

}  // namespace figment::converter
