// Functions of one or two numbers in TensorFlow graphs.
#include <nlohmann/json.hpp>
#include <string_view>

#include "converter/import/noise.h"
#include "converter/import/tfjs/graph_node.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::CompareFunction;
using format::UnaryFunction;

constexpr float kSeluAlpha = 1.67326319217681884765625F, kSeluScale = 1.05070102214813232421875F;

template <UnaryFunction kFunction>
void unary(GraphNode& node) {
  node.set_output(node.unary(kFunction, node.input(0)));
}

template <BinaryFunction kFunction>
void binary(GraphNode& node) {
  node.set_output(node.binary(kFunction, node.input(0), node.input(1)));
}

template <CompareFunction kFunction>
void compare(GraphNode& node) {
  node.set_output(node.compare(kFunction, node.input(0), node.input(1)));
}

// b < a, b <= a
template <CompareFunction kFunction>
void compare_turned(GraphNode& node) {
  node.set_output(node.compare(kFunction, node.input(1), node.input(0)));
}

// Functions whose names fused operators have, too.
void named(GraphNode& node) {
  node.set_output(apply_graph_function(node, node.kind(), node.input(0)));
}

void selu(GraphNode& node) {
  node.set_output(node.unary(UnaryFunction::Selu, node.input(0), kSeluAlpha, kSeluScale));
}

void leaky_relu(GraphNode& node) {
  node.set_output(
      node.unary(UnaryFunction::LeakyRelu, node.input(0), node.number_attribute("alpha", 0.2F)));
}

void reciprocal_root(GraphNode& node) {
  node.set_output(
      node.unary(UnaryFunction::Reciprocal, node.unary(UnaryFunction::Sqrt, node.input(0))));
}

void square(GraphNode& node) {
  node.set_output(node.binary(BinaryFunction::Mul, node.input(0), node.input(0)));
}

void squared_difference(GraphNode& node) {
  const TensorId difference = node.binary(BinaryFunction::Sub, node.input(0), node.input(1));
  node.set_output(node.binary(BinaryFunction::Mul, difference, difference));
}

void log_plus_one(GraphNode& node) {
  node.set_output(node.unary(UnaryFunction::Log,
                             node.binary(BinaryFunction::Add, node.input(0), node.scalar(1))));
}

void exp_minus_one(GraphNode& node) {
  node.set_output(node.binary(BinaryFunction::Sub, node.unary(UnaryFunction::Exp, node.input(0)),
                              node.scalar(1)));
}

void floor_divide(GraphNode& node) {
  const TensorId quotient = node.binary(BinaryFunction::Div, node.input(0), node.input(1));
  node.set_output(node.type(quotient) == DataType::kFloat32
                      ? node.unary(UnaryFunction::Floor, quotient)
                      : quotient);
}

void add_all(GraphNode& node) {
  TensorId sum = node.input(0);
  for (const TensorId input : node.inputs().subspan(1))
    sum = node.binary(BinaryFunction::Add, sum, input);
  node.set_output(sum);
}

void clip(GraphNode& node) {
  const TensorId above = node.binary(BinaryFunction::Max, node.input(0), node.input(1));
  node.set_output(node.binary(BinaryFunction::Min, above, node.input(2)));
}

void logical_not(GraphNode& node) {
  node.set_output(node.compare(CompareFunction::Equal, node.input(0), node.integer(0)));
}

void select(GraphNode& node) {
  node.set_output(node.select(node.input(0), node.input(1), node.input(2)));
}

void cast(GraphNode& node) {
  node.set_output(node.cast(node.input(0), is_integer_type(node.type_attribute("DstT"))
                                               ? DataType::kInt32
                                               : DataType::kFloat32));
}

template <typename Options>
void softmax(GraphNode& node) {
  Options options;
  options.axis = node.rank(node.input(0)) - 1;
  node.set_output(node.emit(options, {node.input(0)}));
}

void identity(GraphNode& node) {
  node.set_outputs({node.inputs().begin(), node.inputs().end()});
  if (node.input_count() == 0) node.refuse("it has no input; the file is damaged");
}

void standard_normal(GraphNode& node) {
  node.set_output(add_noise(node, node.options().noise, node.label(), node.seed(),
                            make_shape(node.integers(0, "shape"))));
}

constexpr GraphOperator kRows[] = {
    {"Abs", unary<UnaryFunction::Abs>},
    {"Add", binary<BinaryFunction::Add>},
    {"AddN", add_all},
    {"AddV2", binary<BinaryFunction::Add>},
    {"Cast", cast},
    {"Ceil", unary<UnaryFunction::Ceil>},
    {"ClipByValue", clip},
    {"Cos", unary<UnaryFunction::Cos>},
    {"Div", binary<BinaryFunction::Div>},
    {"Elu", named},
    {"Equal", compare<CompareFunction::Equal>},
    {"Erf", unary<UnaryFunction::Erf>},
    {"Exp", unary<UnaryFunction::Exp>},
    {"Expm1", exp_minus_one},
    {"Floor", unary<UnaryFunction::Floor>},
    {"FloorDiv", floor_divide},
    {"FloorMod", binary<BinaryFunction::Modulo>},
    {"Greater", compare_turned<CompareFunction::Less>},
    {"GreaterEqual", compare_turned<CompareFunction::LessOrEqual>},
    {"Identity", identity},
    {"IdentityN", identity},
    {"LeakyRelu", leaky_relu},
    {"Less", compare<CompareFunction::Less>},
    {"LessEqual", compare<CompareFunction::LessOrEqual>},
    {"Log", unary<UnaryFunction::Log>},
    {"Log1p", log_plus_one},
    {"LogSoftmax", softmax<format::LogSoftmaxT>},
    {"LogicalAnd", compare<CompareFunction::And>},
    {"LogicalNot", logical_not},
    {"LogicalOr", compare<CompareFunction::Or>},
    {"Maximum", binary<BinaryFunction::Max>},
    {"Minimum", binary<BinaryFunction::Min>},
    {"Mod", binary<BinaryFunction::Remainder>},
    {"Mul", binary<BinaryFunction::Mul>},
    {"Neg", unary<UnaryFunction::Neg>},
    {"NotEqual", compare<CompareFunction::NotEqual>},
    {"PlaceholderWithDefault", identity},
    {"Pow", binary<BinaryFunction::Pow>},
    {"Prelu", binary<BinaryFunction::PRelu>},
    {"RandomStandardNormal", standard_normal},
    {"RealDiv", binary<BinaryFunction::Div>},
    {"Reciprocal", unary<UnaryFunction::Reciprocal>},
    {"Relu", unary<UnaryFunction::Relu>},
    {"Relu6", named},
    {"Round", unary<UnaryFunction::Round>},
    {"Rsqrt", reciprocal_root},
    {"Select", select},
    {"SelectV2", select},
    {"Selu", selu},
    {"Sigmoid", unary<UnaryFunction::Sigmoid>},
    {"Sign", unary<UnaryFunction::Sign>},
    {"Sin", unary<UnaryFunction::Sin>},
    {"Softmax", softmax<format::SoftmaxT>},
    {"Softplus", unary<UnaryFunction::Softplus>},
    {"Softsign", unary<UnaryFunction::Softsign>},
    {"Sqrt", unary<UnaryFunction::Sqrt>},
    {"Square", square},
    {"SquaredDifference", squared_difference},
    {"StopGradient", identity},
    {"Sub", binary<BinaryFunction::Sub>},
    {"Tanh", unary<UnaryFunction::Tanh>},
};

}  // namespace

const std::span<const GraphOperator> kGraphMath = kRows;

TensorId apply_graph_function(GraphNode& node, const std::string& name, TensorId x) {
  if (name == "Relu") return node.unary(UnaryFunction::Relu, x);
  if (name == "Relu6") return node.unary(UnaryFunction::Clip, x, 0, 6);
  if (name == "Elu") return node.unary(UnaryFunction::Elu, x, 1);
  if (name == "Sigmoid") return node.unary(UnaryFunction::Sigmoid, x);
  if (name == "Tanh") return node.unary(UnaryFunction::Tanh, x);
  if (name == "LeakyRelu")
    return node.unary(UnaryFunction::LeakyRelu, x, node.number_attribute("leakyrelu_alpha", 0.2F));
  return kAbsent;
}

}  // namespace figment::converter
