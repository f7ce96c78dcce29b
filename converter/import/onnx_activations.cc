// Functions of one number.
#include <limits>

#include "converter/import/onnx_constant_math.h"
#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::UnaryFunction;

// Functions without parameters.
template <UnaryFunction kFunction>
void plain(OnnxNode& node) {
  node.set_output(0, node.unary(kFunction, node.input(0)));
}

// Functions with the attribute alpha.
template <UnaryFunction kFunction>
void with_alpha(OnnxNode& node) {
  constexpr float kOtherwise = kFunction == UnaryFunction::LeakyRelu ? 0.01F : 1.0F;
  node.set_output(0,
                  node.unary(kFunction, node.input(0), node.number_attribute("alpha", kOtherwise)));
}

// Integers that are known when the model is converted are computed here (the arithmetic on shapes).
template <UnaryFunction kFunction>
void of_shapes_too(OnnxNode& node) {
  if (fold_integers(node)) return;
  plain<kFunction>(node);
}

void selu(OnnxNode& node) {
  const float alpha = node.number_attribute("alpha", 1.67326319217681884765625F);
  const float gamma = node.number_attribute("gamma", 1.05070102214813232421875F);
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
  if (fold_integers(node)) return;
  float low = std::numeric_limits<float>::lowest();
  float high = std::numeric_limits<float>::max();
  if (node.opset() < 11) {
    low = node.number_attribute("min", low);
    high = node.number_attribute("max", high);
  } else if ((node.has_input(1) && !node.constant(node.input(1))) ||
             (node.has_input(2) && !node.constant(node.input(2)))) {
    // Limits that the model computes.
    TensorId x = node.input(0);
    if (node.has_input(1)) x = node.binary(BinaryFunction::Max, x, node.input(1));
    if (node.has_input(2)) x = node.binary(BinaryFunction::Min, x, node.input(2));
    return node.set_output(0, x);
  } else {
    if (node.has_input(1)) low = node.number(node.input(1), "lower limit");
    if (node.has_input(2)) high = node.number(node.input(2), "upper limit");
  }
  // Where the limits cross, ONNX's minimum(high, maximum(low, x)) is the upper one.
  if (low > high) low = high;
  node.set_output(0, node.unary(UnaryFunction::Clip, node.input(0), low, high));
}

void reciprocal(OnnxNode& node) {
  node.set_output(0, node.binary(BinaryFunction::Div, node.scalar(1), node.input(0)));
}

// x / (1 + |x|)
void softsign(OnnxNode& node) {
  const TensorId magnitude = node.unary(UnaryFunction::Abs, node.input(0));
  const TensorId below = node.binary(BinaryFunction::Add, magnitude, node.scalar(1));
  node.set_output(0, node.binary(BinaryFunction::Div, node.input(0), below));
}

// From opset 13 along one axis; before, over everything from `axis` on.
void softmax(OnnxNode& node) {
  const TensorId x = node.input(0);
  const int rank = node.rank(x);
  const int axis = node.checked_axis(node.integer("axis", node.opset() < 13 ? 1 : -1), rank);
  format::SoftmaxT options;
  if (node.opset() >= 13 || axis == rank - 1) {
    options.axis = axis;
    node.set_output(0, node.emit(options, {x}));
    return;
  }
  const Shape shape = node.shape(x);
  std::int64_t before = 1, after = 1;
  for (int index = 0; index < rank; ++index) (index < axis ? before : after) *= shape[index];
  options.axis = 1;
  const TensorId flat = node.reshape_to(x, {before, after});
  node.set_output(0, node.reshape(node.emit(options, {flat}), shape));
}

constexpr OnnxOperator kRows[] = {
    {"Abs", of_shapes_too<UnaryFunction::Abs>},
    {"Clip", clip},
    {"Elu", with_alpha<UnaryFunction::Elu>},
    {"Erf", plain<UnaryFunction::Erf>},
    {"Exp", plain<UnaryFunction::Exp>},
    {"Gelu", gelu},
    {"HardSigmoid", hard_sigmoid},
    {"HardSwish", plain<UnaryFunction::HardSwish>},
    {"LeakyRelu", with_alpha<UnaryFunction::LeakyRelu>},
    {"Log", plain<UnaryFunction::Log>},
    {"Mish", plain<UnaryFunction::Mish>},
    {"Neg", of_shapes_too<UnaryFunction::Neg>},
    {"Reciprocal", reciprocal},
    {"Relu", plain<UnaryFunction::Relu>},
    {"Selu", selu},
    {"Sigmoid", plain<UnaryFunction::Sigmoid>},
    {"Softmax", softmax},
    {"Softplus", plain<UnaryFunction::Softplus>},
    {"Softsign", softsign},
    {"Sqrt", plain<UnaryFunction::Sqrt>},
    {"Tanh", plain<UnaryFunction::Tanh>},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxActivations = kRows;

}  // namespace figment::converter
