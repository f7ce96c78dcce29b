// Functions of one number: layers of their own, and Keras's names for the activations of others.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::CompareFunction;
using format::UnaryFunction;

// ---- Functions that need several operators ----

TensorId times(LayerNode& node, TensorId x, float factor) {
  return node.binary(BinaryFunction::Mul, x, node.scalar(factor));
}

TensorId hard_sigmoid(LayerNode& node, TensorId x) {
  // Keras 3 took over PyTorch's slope.
  return node.unary(UnaryFunction::HardSigmoid, x,
                    node.context().dialect.keras >= 3 ? 1.0F / 6 : 0.2F, 0.5F);
}

TensorId softmax(LayerNode& node, TensorId x) {
  format::SoftmaxT options;
  options.axis = node.rank(x) - 1;
  return node.emit(options, {x});
}

TensorId log_softmax(LayerNode& node, TensorId x) {
  format::LogSoftmaxT options;
  options.axis = node.rank(x) - 1;
  return node.emit(options, {x});
}

// The first half of the channels times the sigmoid of the second.
TensorId gated(LayerNode& node, TensorId x) {
  const int last = node.rank(x) - 1;
  const int half = node.shape(x)[last] / 2;
  if (node.shape(x)[last] % 2 != 0) node.refuse("glu needs an even number of channels");
  const auto part = [&](int start) {
    format::SliceT options;
    options.starts.assign(static_cast<std::size_t>(last) + 1, 0);
    options.sizes.assign(static_cast<std::size_t>(last) + 1, -1);
    options.steps.assign(static_cast<std::size_t>(last) + 1, 1);
    options.starts.back() = start;
    options.sizes.back() = half;
    return node.emit(std::move(options), {x});
  };
  return node.binary(BinaryFunction::Mul, part(0), node.unary(UnaryFunction::Sigmoid, part(half)));
}

TensorId clip(LayerNode& node, TensorId x, float low, float high) {
  return node.unary(UnaryFunction::Clip, x, low, high);
}

TensorId log_sigmoid(LayerNode& node, TensorId x) {
  const TensorId turned = node.unary(UnaryFunction::Neg, x);
  return node.unary(UnaryFunction::Neg, node.unary(UnaryFunction::Softplus, turned));
}

// 0 between -0.5 and 0.5.
TensorId hard_shrink(LayerNode& node, TensorId x) {
  const TensorId inside = node.compare(CompareFunction::LessOrEqual,
                                       node.unary(UnaryFunction::Abs, x), node.scalar(0.5F));
  return node.select(inside, node.scalar(0), x);
}

// x without what clipping to [-0.5, 0.5] leaves of it.
TensorId soft_shrink(LayerNode& node, TensorId x) {
  return node.binary(BinaryFunction::Sub, x, clip(node, x, -0.5F, 0.5F));
}

TensorId tanh_shrink(LayerNode& node, TensorId x) {
  return node.binary(BinaryFunction::Sub, x, node.unary(UnaryFunction::Tanh, x));
}

// (x + sqrt(x^2 + 4)) / 2
TensorId squareplus(LayerNode& node, TensorId x) {
  const TensorId square = node.binary(BinaryFunction::Mul, x, x);
  const TensorId root =
      node.unary(UnaryFunction::Sqrt, node.binary(BinaryFunction::Add, square, node.scalar(4)));
  return times(node, node.binary(BinaryFunction::Add, x, root), 0.5F);
}

// 0 below -1, x above 1, (x + 1)^2 / 4 between.
TensorId sparse_plus(LayerNode& node, TensorId x) {
  const TensorId bounded = node.binary(BinaryFunction::Add, clip(node, x, -1, 1), node.scalar(1));
  const TensorId curve = times(node, node.binary(BinaryFunction::Mul, bounded, bounded), 0.25F);
  return node.select(node.compare(CompareFunction::Less, node.scalar(1), x), x, curve);
}

struct NamedFunction {
  std::string_view name;
  UnaryFunction function;
  float alpha, beta;
};

constexpr float kSeluAlpha = 1.67326319217681884765625F, kSeluScale = 1.05070102214813232421875F;

constexpr NamedFunction kFunctions[] = {
    {"abs", UnaryFunction::Abs, 0, 0},
    {"celu", UnaryFunction::Celu, 1, 0},
    {"cos", UnaryFunction::Cos, 0, 0},
    {"elu", UnaryFunction::Elu, 1, 0},
    {"exp", UnaryFunction::Exp, 0, 0},
    {"exponential", UnaryFunction::Exp, 0, 0},
    {"gelu", UnaryFunction::Gelu, 0, 0},
    {"hard_silu", UnaryFunction::HardSwish, 0, 0},
    {"hard_swish", UnaryFunction::HardSwish, 0, 0},
    {"leaky_relu", UnaryFunction::LeakyRelu, 0.2F, 0},
    {"log", UnaryFunction::Log, 0, 0},
    {"mish", UnaryFunction::Mish, 0, 0},
    {"negative", UnaryFunction::Neg, 0, 0},
    {"relu", UnaryFunction::Relu, 0, 0},
    {"relu6", UnaryFunction::Clip, 0, 6},
    {"hard_tanh", UnaryFunction::Clip, -1, 1},
    {"selu", UnaryFunction::Selu, kSeluAlpha, kSeluScale},
    {"sigmoid", UnaryFunction::Sigmoid, 0, 0},
    {"silu", UnaryFunction::Swish, 1, 0},
    {"sin", UnaryFunction::Sin, 0, 0},
    {"softplus", UnaryFunction::Softplus, 0, 0},
    {"softsign", UnaryFunction::Softsign, 0, 0},
    {"sparse_sigmoid", UnaryFunction::HardSigmoid, 0.5F, 0.5F},
    {"sqrt", UnaryFunction::Sqrt, 0, 0},
    {"swish", UnaryFunction::Swish, 1, 0},
    {"tanh", UnaryFunction::Tanh, 0, 0},
};

struct MadeFunction {
  std::string_view name;
  TensorId (*make)(LayerNode& node, TensorId x);
};

constexpr MadeFunction kMade[] = {
    {"glu", gated},
    {"hard_shrink", hard_shrink},
    {"hard_sigmoid", hard_sigmoid},
    {"log_sigmoid", log_sigmoid},
    {"log_softmax", log_softmax},
    {"soft_shrink", soft_shrink},
    {"softmax", softmax},
    {"sparse_plus", sparse_plus},
    {"squareplus", squareplus},
    {"tanh_shrink", tanh_shrink},
};

// ---- Layers ----

void activation(LayerNode& node) { node.set_output(node.activate(node.input())); }

void leaky_relu(LayerNode& node) {
  const float slope = node.number_setting({"negative_slope", "alpha"}, 0.3F);
  node.set_output(node.unary(UnaryFunction::LeakyRelu, node.input(), slope));
}

void elu(LayerNode& node) {
  node.set_output(node.unary(UnaryFunction::Elu, node.input(), node.number_setting({"alpha"}, 1)));
}

void selu(LayerNode& node) {
  node.set_output(node.unary(UnaryFunction::Selu, node.input(), kSeluAlpha, kSeluScale));
}

void thresholded_relu(LayerNode& node) {
  node.set_output(
      node.unary(UnaryFunction::ThresholdedRelu, node.input(), node.number_setting({"theta"}, 1)));
}

// max_value from there on; x from the threshold on; negative_slope * (x - threshold) below.
void relu(LayerNode& node) {
  const TensorId x = node.input();
  const float slope = node.number_setting({"negative_slope"}, 0);
  const float threshold = node.number_setting({"threshold"}, 0);
  const bool limited = node.find({"max_value"}) != nullptr;
  const float most = node.number_setting({"max_value"}, 0);
  TensorId y = x;
  if (threshold != 0) {
    const TensorId below =
        times(node, node.binary(BinaryFunction::Sub, x, node.scalar(threshold)), slope);
    y = node.select(node.compare(CompareFunction::Less, x, node.scalar(threshold)), below, x);
    if (limited) y = node.binary(BinaryFunction::Min, y, node.scalar(most));
  } else if (slope != 0) {
    y = node.unary(UnaryFunction::LeakyRelu, x, slope);
    if (limited) y = node.binary(BinaryFunction::Min, y, node.scalar(most));
  } else if (limited) {
    y = clip(node, x, 0, most);
  } else {
    y = node.unary(UnaryFunction::Relu, x);
  }
  node.set_output(y);
}

// The slopes are weights of x's shape without the batch, 1 along axes that share them.
void prelu(LayerNode& node) {
  const TensorId x = node.input();
  const TensorId slopes = node.weight("alpha", node.rank(x) - 1);
  node.set_output(node.binary(BinaryFunction::PRelu, x, slopes));
}

void softmax_layer(LayerNode& node) {
  const TensorId x = node.input();
  format::SoftmaxT options;
  options.axis = node.axis_setting({"axis"}, -1, node.rank(x));
  node.set_output(node.emit(options, {x}));
}

// Keras 3 saves functions that are called on tensors as layers of these names.
template <UnaryFunction kFunction>
void operation(LayerNode& node) {
  node.set_output(node.unary(kFunction, node.input()));
}

void named(LayerNode& node, std::string_view name) {
  node.set_output(apply_activation(node, std::string(name), node.input()));
}

constexpr LayerRow kRows[] = {
    {"Activation", activation},
    {"ELU", elu},
    {"Exp", operation<UnaryFunction::Exp>},
    {"Gelu", operation<UnaryFunction::Gelu>},
    {"LeakyRelu",
     [](LayerNode& node) {
       const float slope = node.number_setting({"negative_slope"}, 0.2F);
       node.set_output(node.unary(UnaryFunction::LeakyRelu, node.input(), slope));
     }},
    {"LeakyReLU", leaky_relu},
    {"Log", operation<UnaryFunction::Log>},
    {"Negative", operation<UnaryFunction::Neg>},
    {"PReLU", prelu},
    {"ReLU", relu},
    {"Relu", operation<UnaryFunction::Relu>},
    {"SeLU", selu},
    {"Sigmoid", operation<UnaryFunction::Sigmoid>},
    {"Silu", [](LayerNode& node) { named(node, "silu"); }},
    {"Softmax", softmax_layer},
    {"Softplus", operation<UnaryFunction::Softplus>},
    {"Sqrt", operation<UnaryFunction::Sqrt>},
    {"Tanh", operation<UnaryFunction::Tanh>},
    {"ThresholdedReLU", thresholded_relu},
};

}  // namespace

const std::span<const LayerRow> kActivationLayers = kRows;

TensorId apply_activation(LayerNode& node, const std::string& name, TensorId x) {
  if (name == "linear" || name == "identity") return x;
  for (const NamedFunction& row : kFunctions)
    if (row.name == name) return node.unary(row.function, x, row.alpha, row.beta);
  for (const MadeFunction& row : kMade)
    if (row.name == name) return row.make(node, x);
  return kAbsent;
}

}  // namespace figment::converter
