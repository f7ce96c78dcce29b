// Functions of one number, as functions and as layers.
#include <cmath>
#include <limits>

#include "converter/import/torch/call.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::CompareFunction;
using format::UnaryFunction;

float as_float(double number) { return static_cast<float>(number); }

// Integers are made floats first: what comes out is one.
TensorId input_of(TorchCall& call) { return call.as_floats(call.tensor("input")); }

TorchValue result(TensorId id) { return TorchValue::of_tensor(id); }

template <UnaryFunction kFunction>
TorchValue plain(TorchCall& call) {
  return result(call.unary(kFunction, input_of(call)));
}

// Those that leave integers what they are.
template <UnaryFunction kFunction>
TorchValue plain_of_any(TorchCall& call) {
  return result(call.unary(kFunction, call.tensor("input")));
}

TorchValue celu(TorchCall& call) {
  return result(call.unary(UnaryFunction::Celu, input_of(call), as_float(call.number("alpha"))));
}

TensorId clip(TorchCall& call, double low, double high) {
  return call.unary(UnaryFunction::Clip, input_of(call), as_float(low), as_float(high));
}

// alpha for negative numbers, times scale, both sides.
TorchValue elu(TorchCall& call) {
  TensorId x = input_of(call);
  const float inner = as_float(call.number("input_scale"));
  if (inner != 1) call.refuse("its input_scale is not supported; leave it at 1");
  const float scale = as_float(call.number("scale"));
  const float alpha = as_float(call.number("alpha"));
  if (scale == 1) return result(call.unary(UnaryFunction::Elu, x, alpha));
  return result(call.unary(UnaryFunction::Selu, x, alpha, scale));
}

TorchValue gelu(TorchCall& call) {
  const std::string approximate = call.text("approximate");
  if (approximate != "none" && approximate != "tanh")
    call.refuse("its approximation '" + approximate + "' is unknown; use 'none' or 'tanh'");
  return result(call.unary(approximate == "tanh" ? UnaryFunction::GeluTanh : UnaryFunction::Gelu,
                           input_of(call)));
}

// a * sigmoid(b), the halves of x
TorchValue glu(TorchCall& call) {
  const TensorId x = input_of(call);
  const int axis = call.axis("dim", call.rank(x));
  const int extent = call.shape(x)[axis];
  if (extent % 2 != 0) call.refuse("its axis of " + std::to_string(extent) + " has no halves");
  const TensorId gate = call.unary(UnaryFunction::Sigmoid, call.part(x, axis, extent / 2, extent));
  return result(call.binary(BinaryFunction::Mul, call.part(x, axis, 0, extent / 2), gate));
}

TorchValue hardshrink(TorchCall& call) {
  const TensorId x = input_of(call);
  const float limit = as_float(call.number("lambd"));
  const TensorId outside =
      call.compare(CompareFunction::Less, call.scalar(limit), call.unary(UnaryFunction::Abs, x));
  return result(call.select(outside, x, call.scalar(0)));
}

TorchValue hardsigmoid(TorchCall& call) {
  return result(call.unary(UnaryFunction::HardSigmoid, input_of(call), 1.0F / 6, 0.5F));
}

TorchValue hardtanh(TorchCall& call) {
  return result(clip(call, call.number("min_val"), call.number("max_val")));
}

TorchValue leaky_relu(TorchCall& call) {
  return result(call.unary(UnaryFunction::LeakyRelu, input_of(call),
                           as_float(call.number("negative_slope"))));
}

TorchValue log_sigmoid(TorchCall& call) {
  const TensorId turned = call.unary(UnaryFunction::Neg, input_of(call));
  return result(call.unary(UnaryFunction::Neg, call.unary(UnaryFunction::Softplus, turned)));
}

// One slope for all, or one a channel.
TensorId with_slopes(TorchCall& call, TensorId x, TensorId slopes) {
  const auto count = call.shape(slopes).elements();
  const int rank = call.rank(x);
  const int axis = rank < 2 ? 0 : 1;
  call.require(count == 1 || count == call.shape(x)[axis], slopes,
               "its input has " + std::to_string(call.shape(x)[axis]) + " channels");
  std::vector<std::int64_t> extents(static_cast<std::size_t>(rank), 1);
  if (count != 1) extents[static_cast<std::size_t>(axis)] = count;
  return call.binary(BinaryFunction::PRelu, x, call.reshape_to(slopes, extents));
}

TorchValue prelu(TorchCall& call) {
  return result(with_slopes(call, input_of(call), call.tensor("weight")));
}

TorchValue prelu_layer(TorchCall& call) {
  return result(with_slopes(call, input_of(call), call.weight("weight")));
}

TorchValue relu6(TorchCall& call) { return result(clip(call, 0, 6)); }

// In inference the slope is the mean of its limits.
TorchValue rrelu(TorchCall& call) {
  const double slope = (call.number("lower") + call.number("upper")) / 2;
  return result(call.unary(UnaryFunction::LeakyRelu, input_of(call), as_float(slope)));
}

TorchValue selu(TorchCall& call) {
  return result(call.unary(UnaryFunction::Selu, input_of(call), 1.67326319217681884765625F,
                           1.05070102214813232421875F));
}

TorchValue silu(TorchCall& call) {
  return result(call.unary(UnaryFunction::Swish, input_of(call), 1));
}

template <typename Options>
TorchValue softmax(TorchCall& call) {
  Options options;
  const TensorId x = input_of(call);
  // What PyTorch takes when nothing is said.
  options.axis = call.given("dim")
                     ? call.axis("dim", call.rank(x))
                     : (call.rank(x) == 0 || call.rank(x) == 1 || call.rank(x) == 3 ? 0 : 1);
  return result(call.emit(options, {x}));
}

TorchValue softmax_of_channels(TorchCall& call) {
  format::SoftmaxT options;
  const TensorId x = input_of(call);
  options.axis = call.checked_axis(-3, call.rank(x));
  return result(call.emit(options, {x}));
}

TorchValue softmin(TorchCall& call) {
  format::SoftmaxT options;
  const TensorId x = input_of(call);
  options.axis = call.axis("dim", call.rank(x));
  return result(call.emit(options, {call.unary(UnaryFunction::Neg, x)}));
}

// log(1 + e^(beta x)) / beta; PyTorch's threshold only avoids overflow.
TorchValue softplus(TorchCall& call) {
  const TensorId x = input_of(call);
  const float beta = as_float(call.number("beta"));
  if (beta == 1) return result(call.unary(UnaryFunction::Softplus, x));
  const TensorId scaled = call.binary(BinaryFunction::Mul, x, call.scalar(beta));
  return result(call.binary(BinaryFunction::Mul, call.unary(UnaryFunction::Softplus, scaled),
                            call.scalar(1 / beta)));
}

// x less what it has within the limits.
TorchValue softshrink(TorchCall& call) {
  const float limit = as_float(call.number("lambd"));
  return result(call.binary(BinaryFunction::Sub, input_of(call), clip(call, -limit, limit)));
}

TorchValue tanhshrink(TorchCall& call) {
  const TensorId x = input_of(call);
  return result(call.binary(BinaryFunction::Sub, x, call.unary(UnaryFunction::Tanh, x)));
}

TorchValue threshold(TorchCall& call) {
  const TensorId x = input_of(call);
  const TensorId above =
      call.compare(CompareFunction::Less, call.scalar(as_float(call.number("threshold"))), x);
  return result(call.select(above, x, call.scalar(as_float(call.number("value")))));
}

// Limits that are left out are none.
TorchValue clamp(TorchCall& call) {
  TensorId x = call.tensor("input");
  const auto limit = [&](const char* name) {
    return call.type(x) == DataType::kInt32 ? call.integer(call.integer_argument(name))
                                            : call.scalar(as_float(call.number(name)));
  };
  if (call.type(x) == DataType::kInt32) {
    if (call.given("min")) x = call.binary(BinaryFunction::Max, x, limit("min"));
    if (call.given("max")) x = call.binary(BinaryFunction::Min, x, limit("max"));
    return result(x);
  }
  const double low = call.given("min") ? call.number("min")
                                       : static_cast<double>(std::numeric_limits<float>::lowest());
  const double high = call.given("max") ? call.number("max")
                                        : static_cast<double>(std::numeric_limits<float>::max());
  return result(clip(call, std::min(low, high), high));
}

TorchValue rsqrt(TorchCall& call) {
  return result(
      call.unary(UnaryFunction::Reciprocal, call.unary(UnaryFunction::Sqrt, input_of(call))));
}

TorchValue square(TorchCall& call) {
  const TensorId x = call.tensor("input");
  return result(call.binary(BinaryFunction::Mul, x, x));
}

constexpr TorchFunction kRows[] = {
    {"abs", "input", plain_of_any<UnaryFunction::Abs>},
    {"ceil", "input", plain<UnaryFunction::Ceil>},
    {"celu", "input, alpha=1.0", celu},
    {"clamp", "input, min=None, max=None", clamp},
    {"clamp_max", "input, max", clamp},
    {"clamp_min", "input, min", clamp},
    {"clip", "input, min=None, max=None", clamp},
    {"cos", "input", plain<UnaryFunction::Cos>},
    {"elu", "input, alpha=1.0, scale=1, input_scale=1", elu},
    {"erf", "input", plain<UnaryFunction::Erf>},
    {"exp", "input", plain<UnaryFunction::Exp>},
    {"floor", "input", plain<UnaryFunction::Floor>},
    {"gelu", "input, approximate='none'", gelu},
    {"glu", "input, dim=-1", glu},
    {"hardshrink", "input, lambd=0.5", hardshrink},
    {"hardsigmoid", "input", hardsigmoid},
    {"hardswish", "input", plain<UnaryFunction::HardSwish>},
    {"hardtanh", "input, min_val=-1, max_val=1", hardtanh},
    {"leaky_relu", "input, negative_slope=0.01", leaky_relu},
    {"log", "input", plain<UnaryFunction::Log>},
    {"log_sigmoid", "input", log_sigmoid},
    {"log_softmax", "input, dim=None, dtype=None", softmax<format::LogSoftmaxT>},
    {"mish", "input", plain<UnaryFunction::Mish>},
    {"neg", "input", plain_of_any<UnaryFunction::Neg>},
    {"prelu", "input, weight", prelu},
    {"reciprocal", "input", plain<UnaryFunction::Reciprocal>},
    {"relu", "input", plain_of_any<UnaryFunction::Relu>},
    {"relu6", "input", relu6},
    {"round", "input", plain<UnaryFunction::Round>},
    {"rrelu", "input, lower=0.125, upper=0.3333333333333333, training=False, generator=None",
     rrelu},
    {"rsqrt", "input", rsqrt},
    {"selu", "input", selu},
    {"sigmoid", "input", plain<UnaryFunction::Sigmoid>},
    {"sign", "input", plain_of_any<UnaryFunction::Sign>},
    {"silu", "input", silu},
    {"sin", "input", plain<UnaryFunction::Sin>},
    {"softmax", "input, dim=None, dtype=None", softmax<format::SoftmaxT>},
    {"softplus", "input, beta=1, threshold=20", softplus},
    {"softshrink", "input, lambd=0.5", softshrink},
    {"softsign", "input", plain<UnaryFunction::Softsign>},
    {"sqrt", "input", plain<UnaryFunction::Sqrt>},
    {"square", "input", square},
    {"tanh", "input", plain<UnaryFunction::Tanh>},
    {"tanhshrink", "input", tanhshrink},
    {"threshold", "input, threshold, value", threshold},
};

constexpr TorchFunction kLayers[] = {
    {"CELU", "input, alpha=1.0, inplace=False", celu},
    {"ELU", "input, alpha=1.0, inplace=False, scale=1, input_scale=1", elu},
    {"GELU", "input, approximate='none'", gelu},
    {"GLU", "input, dim=-1", glu},
    {"Hardshrink", "input, lambd=0.5", hardshrink},
    {"Hardsigmoid", "input, inplace=False", hardsigmoid},
    {"Hardswish", "input, inplace=False", plain<UnaryFunction::HardSwish>},
    {"Hardtanh", "input, min_val=-1, max_val=1, inplace=False", hardtanh},
    {"LeakyReLU", "input, negative_slope=0.01, inplace=False", leaky_relu},
    {"LogSigmoid", "input", log_sigmoid},
    {"LogSoftmax", "input, dim=None", softmax<format::LogSoftmaxT>},
    {"Mish", "input, inplace=False", plain<UnaryFunction::Mish>},
    {"PReLU", "input, num_parameters=None, init=0.25", prelu_layer},
    {"RReLU", "input, lower=0.125, upper=0.3333333333333333, inplace=False", rrelu},
    {"ReLU", "input, inplace=False", plain<UnaryFunction::Relu>},
    {"ReLU6", "input, inplace=False", relu6},
    {"SELU", "input, inplace=False", selu},
    {"SiLU", "input, inplace=False", silu},
    {"Sigmoid", "input", plain<UnaryFunction::Sigmoid>},
    {"Softmax", "input, dim=None", softmax<format::SoftmaxT>},
    {"Softmax2d", "input", softmax_of_channels},
    {"Softmin", "input, dim=-1", softmin},
    {"Softplus", "input, beta=1, threshold=20", softplus},
    {"Softshrink", "input, lambd=0.5", softshrink},
    {"Softsign", "input", plain<UnaryFunction::Softsign>},
    {"Tanh", "input", plain<UnaryFunction::Tanh>},
    {"Tanhshrink", "input", tanhshrink},
    {"Threshold", "input, threshold, value, inplace=False", threshold},
};

}  // namespace

const std::span<const TorchFunction> kTorchActivations = kRows;
const std::span<const TorchFunction> kTorchActivationLayers = kLayers;

}  // namespace figment::converter
