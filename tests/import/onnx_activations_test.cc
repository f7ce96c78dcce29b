// ONNX's functions of one number, against their formulas in double precision.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

using Function = std::function<double(double)>;

const std::vector<float> kX = ramp(14, -3, 0.4375F);

void check(int opset, const std::string& kind, const Function& function,
           const std::vector<onnx::AttributeProto>& attributes = {},
           const std::vector<float>& x = kX, const std::vector<onnx::TensorProto>& constants = {}) {
  std::vector<double> expected;
  for (const float value : x) expected.push_back(function(static_cast<double>(value)));
  const auto count = static_cast<std::int64_t>(x.size());
  check_node(opset, kind, {1, count}, x, constants, attributes, {1, count}, expected);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("functions without parameters") {
  const std::vector<float> positive = ramp(9, 0.25F, 0.5F);
  check(13, "Relu", [](double x) { return std::max(x, 0.0); });
  check(7, "Sigmoid", sigmoid);
  check(13, "Tanh", [](double x) { return std::tanh(x); });
  check(13, "Exp", [](double x) { return std::exp(x); });
  check(13, "Abs", [](double x) { return std::fabs(x); });
  check(13, "Neg", [](double x) { return -x; });
  check(13, "Erf", [](double x) { return std::erf(x); });
  check(13, "Softplus", [](double x) { return std::log1p(std::exp(x)); });
  check(13, "Softsign", [](double x) { return x / (1 + std::fabs(x)); });
  check(7, "Sin", [](double x) { return std::sin(x); });
  check(7, "Cos", [](double x) { return std::cos(x); });
  check(7, "Tan", [](double x) { return std::tan(x); });
  check(13, "Floor", [](double x) { return std::floor(x); });
  check(13, "Ceil", [](double x) { return std::ceil(x); });
  check(
      11, "Round", [](double x) { return std::nearbyint(x); }, {}, ramp(9, -2, 0.5F));
  check(
      9, "Sign", [](double x) { return double(x > 0) - double(x < 0); }, {}, ramp(9, -1, 0.25F));
  check(
      13, "Log", [](double x) { return std::log(x); }, {}, positive);
  check(
      13, "Sqrt", [](double x) { return std::sqrt(x); }, {}, positive);
  check(
      13, "Reciprocal", [](double x) { return 1 / x; }, {}, positive);
  check(14, "HardSwish", [](double x) { return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0); });
  check(18, "Mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); });
}

TEST_CASE("functions with parameters, given and by default") {
  check(13, "LeakyRelu", [](double x) { return x < 0 ? 0.01 * x : x; });
  check(13, "LeakyRelu", [](double x) { return x < 0 ? 0.25 * x : x; },
        {attribute("alpha", 0.25F)});
  check(13, "Elu", [](double x) { return x < 0 ? std::expm1(x) : x; });
  check(13, "Elu", [](double x) { return x < 0 ? 0.5 * std::expm1(x) : x; },
        {attribute("alpha", 0.5F)});
  check(13, "Selu", [](double x) {
    return 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * std::expm1(x) : x);
  });
  check(13, "Selu", [](double x) { return 3 * (x < 0 ? 2 * std::expm1(x) : x); },
        {attribute("alpha", 2.0F), attribute("gamma", 3.0F)});
  check(13, "HardSigmoid", [](double x) { return std::min(std::max(0.2 * x + 0.5, 0.0), 1.0); });
  check(13, "HardSigmoid", [](double x) { return std::min(std::max(0.5 * x + 0.25, 0.0), 1.0); },
        {attribute("alpha", 0.5F), attribute("beta", 0.25F)});
  // Before opset 6 Selu's constants had fewer digits.
  check(5, "Selu",
        [](double x) { return double{1.0507F} * (x < 0 ? double{1.6732F} * std::expm1(x) : x); });
  check(12, "Celu", [](double x) { return x < 0 ? std::expm1(x) : x; });
  check(12, "Celu", [](double x) { return x < 0 ? 2 * std::expm1(x / 2) : x; },
        {attribute("alpha", 2.0F)});
  check_node_refused(12, "Celu", {1, 3}, {}, {attribute("alpha", 0.0F)}, "parameters of Celu");
  check(10, "ThresholdedRelu", [](double x) { return x > 1 ? x : 0; });
  check(10, "ThresholdedRelu", [](double x) { return x > 0.5 ? x : 0; },
        {attribute("alpha", 0.5F)});
  check(9, "Shrink", [](double x) { return std::fabs(x) > 0.5 ? x : 0; });
  check(9, "Shrink", [](double x) { return x < -1.25  ? x + 0.75
                                           : x > 1.25 ? x - 0.75
                                                      : 0; },
        {attribute("lambd", 1.25F), attribute("bias", 0.75F)});
  check(20, "Gelu", [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); });
  check(20, "Gelu",
        [](double x) {
          return 0.5 * x *
                 (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x)));
        },
        {attribute("approximate", "tanh")});
  check_node_refused(20, "Gelu", {1, 3}, {}, {attribute("approximate", "quick")},
                     "'quick' is not supported");
}

TEST_CASE("Clip's limits are attributes before opset 11 and operands from there on") {
  const auto both = [](double x) { return std::min(std::max(x, -0.5), 1.25); };
  check(7, "Clip", both, {attribute("min", -0.5F), attribute("max", 1.25F)});
  check(6 + 1, "Clip", [](double x) { return x; });
  check(11, "Clip", both, {}, kX,
        {float_tensor("low", {}, {-0.5F}), float_tensor("high", {}, {1.25F})});
  check(13, "Clip", [](double x) { return std::min(x, 1.25); }, {}, kX,
        {float_tensor("", {}, {}), float_tensor("high", {}, {1.25F})});
  // Where the limits cross, the upper one wins.
  check(13, "Clip", [](double) { return -1.0; }, {}, kX,
        {float_tensor("low", {}, {2.0F}), float_tensor("high", {}, {-1.0F})});
  check_node_refused(13, "Clip", {1, 3}, {}, {attribute("min", 0.0F)},
                     "attribute 'min' is not supported in opset 13");
}

TEST_CASE("Clip's limits may be computed by the model") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 3}).input("low", {1}).floats("high", {}, {2});
  builder.node("Clip", {"x", "low", "high"}, {"y"}).output("y");
  check_values(builder, {{-3, 1, 5}, {-1}}, {1, 3}, {-1, 1, 2});
}

TEST_CASE("Softmax runs along one axis from opset 13, over all later axes before") {
  const std::vector<float> x = ramp(12, -1, 0.3F);
  const auto normalized = [&](const std::vector<std::vector<int>>& groups) {
    std::vector<double> expected(12, 0);
    for (const auto& group : groups) {
      double sum = 0;
      for (const int index : group)
        sum += std::exp(static_cast<double>(x[static_cast<std::size_t>(index)]));
      for (const int index : group)
        expected[static_cast<std::size_t>(index)] =
            std::exp(static_cast<double>(x[static_cast<std::size_t>(index)])) / sum;
    }
    return expected;
  };
  check_node(13, "Softmax", {1, 2, 3, 2}, x, {}, {attribute("axis", 2)}, {1, 2, 3, 2},
             normalized({{0, 2, 4}, {1, 3, 5}, {6, 8, 10}, {7, 9, 11}}));
  check_node(13, "Softmax", {1, 2, 3, 2}, x, {}, {}, {1, 2, 3, 2},
             normalized({{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}, {10, 11}}));
  check_node(11, "Softmax", {1, 2, 3, 2}, x, {}, {attribute("axis", 2)}, {1, 2, 3, 2},
             normalized({{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}}));
  check_node(11, "Softmax", {1, 2, 3, 2}, x, {}, {}, {1, 2, 3, 2},
             normalized({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}));
  check_node_refused(13, "Softmax", {1, 3}, {}, {attribute("axis", 2)}, "axis 2 is outside");
}

TEST_CASE("LogSoftmax is the logarithm of Softmax, by the same axes") {
  const std::vector<float> x = {0, 1, 2, 3};
  const auto below = [](double a, double b) { return -std::log1p(std::exp(b - a)); };
  const std::vector<double> pairs = {below(0, 1), below(1, 0), below(2, 3), below(3, 2)};
  check_node(13, "LogSoftmax", {1, 2, 2}, x, {}, {}, {1, 2, 2}, pairs);
  check_node(11, "LogSoftmax", {1, 2, 2}, x, {}, {attribute("axis", 2)}, {1, 2, 2}, pairs);
  const double all = std::log(1 + std::exp(1) + std::exp(2) + std::exp(3));
  check_node(11, "LogSoftmax", {1, 2, 2}, x, {}, {}, {1, 2, 2}, {-all, 1 - all, 2 - all, 3 - all});
}

TEST_CASE("an attribute of another type is refused") {
  check_node_refused(13, "LeakyRelu", {1, 3}, {}, {attribute("alpha", 1)},
                     "'alpha' must be a number");
  check_node_refused(13, "Softmax", {1, 3}, {}, {attribute("axis", "last")},
                     "'axis' must be an integer");
}

}  // namespace figment::testing
