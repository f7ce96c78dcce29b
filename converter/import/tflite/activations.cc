// Functions of one number.
#include "converter/import/tflite/families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::UnaryFunction;

template <UnaryFunction kFunction>
void function(TfliteNode& node) {
  node.set_output(0, node.unary(kFunction, node.input(0)));
}

// Clip's limits are whole numbers here.
template <int kLow, int kHigh>
void clip(TfliteNode& node) {
  node.set_output(0, node.unary(UnaryFunction::Clip, node.input(0), kLow, kHigh));
}

void elu(TfliteNode& node) { node.set_output(0, node.unary(UnaryFunction::Elu, node.input(0), 1)); }

void gelu(TfliteNode& node) {
  const auto* options = node.options_or_null<tflite::GeluOptions>();
  const bool approximate = options != nullptr && options->approximate();
  node.set_output(
      0, node.unary(approximate ? UnaryFunction::GeluTanh : UnaryFunction::Gelu, node.input(0)));
}

void leaky_relu(TfliteNode& node) {
  const float alpha = node.options<tflite::LeakyReluOptions>().alpha();
  if (node.gives_int8() && node.has_int8(0) && alpha > 0)
    return node.set_output(
        0, node.integer_table(node.int8(0), node.range(0), node.output_range(), double{alpha}, 1));
  node.set_output(0, node.unary(UnaryFunction::LeakyRelu, node.input(0), alpha));
}

// x, alpha: broadcast
void prelu(TfliteNode& node) {
  node.set_output(0, node.binary(BinaryFunction::PRelu, node.input(0), node.input(1)));
}

void rsqrt(TfliteNode& node) {
  node.set_output(
      0, node.unary(UnaryFunction::Reciprocal, node.unary(UnaryFunction::Sqrt, node.input(0))));
}

void square(TfliteNode& node) {
  const TensorId x = node.input(0);
  node.set_output(0, node.binary(BinaryFunction::Mul, x, x));
}

constexpr TfliteForm kElementwise = TfliteForm::kElementwise;
constexpr TfliteOperator kRows[] = {
    {"ABS", function<UnaryFunction::Abs>, kElementwise},
    {"CEIL", function<UnaryFunction::Ceil>, kElementwise},
    {"COS", function<UnaryFunction::Cos>, kElementwise},
    {"ELU", elu, kElementwise},
    {"EXP", function<UnaryFunction::Exp>, kElementwise},
    {"FLOOR", function<UnaryFunction::Floor>, kElementwise},
    {"GELU", gelu, kElementwise},
    {"HARD_SWISH", function<UnaryFunction::HardSwish>, kElementwise},
    {"LEAKY_RELU", leaky_relu},
    {"LOG", function<UnaryFunction::Log>, kElementwise},
    {"LOGISTIC", function<UnaryFunction::Sigmoid>, kElementwise},
    {"NEG", function<UnaryFunction::Neg>, kElementwise},
    {"PRELU", prelu, kElementwise},
    {"RELU", function<UnaryFunction::Relu>, kElementwise},
    {"RELU6", clip<0, 6>, kElementwise},
    {"RELU_0_TO_1", clip<0, 1>, kElementwise},
    {"RELU_N1_TO_1", clip<-1, 1>, kElementwise},
    {"ROUND", function<UnaryFunction::Round>, kElementwise},
    {"RSQRT", rsqrt, kElementwise},
    {"SIGN", function<UnaryFunction::Sign>, kElementwise},
    {"SIN", function<UnaryFunction::Sin>, kElementwise},
    {"SQRT", function<UnaryFunction::Sqrt>, kElementwise},
    {"SQUARE", square, kElementwise},
    {"TANH", function<UnaryFunction::Tanh>, kElementwise},
};

}  // namespace

const std::span<const TfliteOperator> kTfliteActivations = kRows;

}  // namespace figment::converter
