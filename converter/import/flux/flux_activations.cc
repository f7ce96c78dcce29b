// Functions of one number, by their names in NNlib.jl and Base, and the two that sum over others.
#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::UnaryFunction;

TensorId nothing(FluxLayer& /*layer*/, TensorId x) { return x; }

template <UnaryFunction kFunction>
TensorId plain(FluxLayer& layer, TensorId x) {
  return layer.unary(kFunction, x);
}

TensorId leaky_relu(FluxLayer& layer, TensorId x) {
  return layer.unary(UnaryFunction::LeakyRelu, x, 0.01F);
}

// alpha 1 is what all have where nobody says otherwise.
template <UnaryFunction kFunction>
TensorId with_one(FluxLayer& layer, TensorId x) {
  return layer.unary(kFunction, x, 1);
}

TensorId selu(FluxLayer& layer, TensorId x) {
  return layer.unary(UnaryFunction::Selu, x, 1.67326319F, 1.05070102F);
}

TensorId hard_sigmoid(FluxLayer& layer, TensorId x) {
  return layer.unary(UnaryFunction::HardSigmoid, x, 1.0F / 6, 0.5F);
}

TensorId relu6(FluxLayer& layer, TensorId x) { return layer.unary(UnaryFunction::Clip, x, 0, 6); }

TensorId hard_tanh(FluxLayer& layer, TensorId x) {
  return layer.unary(UnaryFunction::Clip, x, -1, 1);
}

// log(sigmoid(x)) = -softplus(-x)
TensorId log_sigmoid(FluxLayer& layer, TensorId x) {
  const TensorId turned = layer.unary(UnaryFunction::Neg, x);
  return layer.unary(UnaryFunction::Neg, layer.unary(UnaryFunction::Softplus, turned));
}

// x + softplus(-2x) - log(2)
TensorId log_cosh(FluxLayer& layer, TensorId x) {
  constexpr float kLog2 = 0.69314718F;
  const TensorId twice = layer.binary(BinaryFunction::Mul, x, layer.scalar(-2));
  const TensorId sum =
      layer.binary(BinaryFunction::Add, x, layer.unary(UnaryFunction::Softplus, twice));
  return layer.binary(BinaryFunction::Sub, sum, layer.scalar(kLog2));
}

TensorId lisht(FluxLayer& layer, TensorId x) {
  return layer.binary(BinaryFunction::Mul, x, layer.unary(UnaryFunction::Tanh, x));
}

TensorId tanh_shrink(FluxLayer& layer, TensorId x) {
  return layer.binary(BinaryFunction::Sub, x, layer.unary(UnaryFunction::Tanh, x));
}

// x - clip(x, -1/2, 1/2)
TensorId soft_shrink(FluxLayer& layer, TensorId x) {
  return layer.binary(BinaryFunction::Sub, x, layer.unary(UnaryFunction::Clip, x, -0.5F, 0.5F));
}

// Along Julia's first axis, our last.
TensorId softmax(FluxLayer& layer, TensorId x) {
  format::SoftmaxT options;
  options.axis = layer.rank(x) - 1;
  return layer.emit(options, {x});
}

TensorId log_softmax(FluxLayer& layer, TensorId x) {
  format::LogSoftmaxT options;
  options.axis = layer.rank(x) - 1;
  return layer.emit(options, {x});
}

constexpr FluxRow kRows[] = {
    {"abs", plain<UnaryFunction::Abs>},
    {"celu", with_one<UnaryFunction::Celu>},
    {"cos", plain<UnaryFunction::Cos>},
    {"elu", with_one<UnaryFunction::Elu>},
    {"exp", plain<UnaryFunction::Exp>},
    {"gelu", plain<UnaryFunction::GeluTanh>},
    {"gelu_erf", plain<UnaryFunction::Gelu>},
    {"gelu_tanh", plain<UnaryFunction::GeluTanh>},
    {"hardsigmoid", hard_sigmoid},
    {"hardswish", plain<UnaryFunction::HardSwish>},
    {"hardtanh", hard_tanh},
    {"hardσ", hard_sigmoid},
    {"identity", nothing},
    {"inv", plain<UnaryFunction::Reciprocal>},
    {"leakyrelu", leaky_relu},
    {"lisht", lisht},
    {"log", plain<UnaryFunction::Log>},
    {"logcosh", log_cosh},
    {"logsigmoid", log_sigmoid},
    {"logsoftmax", log_softmax},
    {"logσ", log_sigmoid},
    {"mish", plain<UnaryFunction::Mish>},
    {"relu", plain<UnaryFunction::Relu>},
    {"relu6", relu6},
    {"selu", selu},
    {"sigmoid", plain<UnaryFunction::Sigmoid>},
    {"sigmoid_fast", plain<UnaryFunction::Sigmoid>},
    {"sin", plain<UnaryFunction::Sin>},
    {"softmax", softmax},
    {"softplus", plain<UnaryFunction::Softplus>},
    {"softshrink", soft_shrink},
    {"softsign", plain<UnaryFunction::Softsign>},
    {"sqrt", plain<UnaryFunction::Sqrt>},
    {"swish", with_one<UnaryFunction::Swish>},
    {"tanh", plain<UnaryFunction::Tanh>},
    {"tanh_fast", plain<UnaryFunction::Tanh>},
    {"tanhshrink", tanh_shrink},
    {"thresholdrelu", with_one<UnaryFunction::ThresholdedRelu>},
    {"trelu", with_one<UnaryFunction::ThresholdedRelu>},
    {"σ", plain<UnaryFunction::Sigmoid>},
};

}  // namespace

const std::span<const FluxRow> kFluxActivations = kRows;

}  // namespace figment::converter
