// Functions by their names in NNlib.jl.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::log1p(std::exp(x)); }
double clamp(double x, double low, double high) { return std::min(std::max(x, low), high); }

}  // namespace

TEST_CASE("functions of one number") {
  struct Case {
    const char* name;
    std::function<double(double)> function;
  };
  const std::vector<float> x = {-4, -1.5F, -0.25F, 0, 0.3F, 1, 3.5F, 7};
  const std::vector<Case> cases = {
      {"Base.abs", [](double v) { return std::fabs(v); }},
      {"NNlib.celu", [](double v) { return v > 0 ? v : std::exp(v) - 1; }},
      {"Base.cos", [](double v) { return std::cos(v); }},
      {"NNlib.elu", [](double v) { return v > 0 ? v : std::exp(v) - 1; }},
      {"Base.exp", [](double v) { return std::exp(v); }},
      {"NNlib.gelu",
       [](double v) {
         return v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
       }},
      {"NNlib.gelu_tanh",
       [](double v) {
         return v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
       }},
      {"NNlib.gelu_erf", [](double v) { return v / 2 * (1 + std::erf(v / std::sqrt(2))); }},
      {"NNlib.hardsigmoid", [](double v) { return clamp((v + 3) / 6, 0, 1); }},
      {"NNlib.hardσ", [](double v) { return clamp((v + 3) / 6, 0, 1); }},
      {"NNlib.hardswish", [](double v) { return v * clamp((v + 3) / 6, 0, 1); }},
      {"NNlib.hardtanh", [](double v) { return clamp(v, -1, 1); }},
      {"Base.identity", [](double v) { return v; }},
      {"NNlib.leakyrelu", [](double v) { return v > 0 ? v : 0.01 * v; }},
      {"NNlib.lisht", [](double v) { return v * std::tanh(v); }},
      {"NNlib.logcosh", [](double v) { return std::log(std::cosh(v)); }},
      {"NNlib.logsigmoid", [](double v) { return -softplus(-v); }},
      {"NNlib.logσ", [](double v) { return -softplus(-v); }},
      {"NNlib.mish", [](double v) { return v * std::tanh(softplus(v)); }},
      {"NNlib.relu", [](double v) { return std::max(v, 0.0); }},
      {"NNlib.relu6", [](double v) { return clamp(v, 0, 6); }},
      {"NNlib.selu",
       [](double v) {
         return 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * (std::exp(v) - 1));
       }},
      {"NNlib.sigmoid", sigmoid},
      {"NNlib.sigmoid_fast", sigmoid},
      {"Base.sin", [](double v) { return std::sin(v); }},
      {"NNlib.softplus", softplus},
      {"NNlib.softshrink", [](double v) { return v - clamp(v, -0.5, 0.5); }},
      {"NNlib.softsign", [](double v) { return v / (1 + std::fabs(v)); }},
      {"NNlib.swish", [](double v) { return v * sigmoid(v); }},
      {"Base.tanh", [](double v) { return std::tanh(v); }},
      {"NNlib.tanh_fast", [](double v) { return std::tanh(v); }},
      {"NNlib.tanhshrink", [](double v) { return v - std::tanh(v); }},
      {"NNlib.thresholdrelu", [](double v) { return v > 1 ? v : 0; }},
      {"NNlib.trelu", [](double v) { return v > 1 ? v : 0; }},
      {"NNlib.σ", sigmoid},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    std::vector<double> expected;
    expected.reserve(x.size());
    for (const float value : x) expected.push_back(one.function(static_cast<double>(value)));
    check_close(run_layer(flux_chain({julia_function(one.name)}), {8}, x), expected);
  }
  check_close(run_layer(flux_chain({julia_function("Base.log"), julia_function("Base.sqrt"),
                                    julia_function("Base.inv")}),
                        {1}, {std::exp(4.0F)}),
              {0.5});
}

TEST_CASE("softmax along Julia's first axis") {
  const double sum = std::exp(1) + std::exp(2);
  check_close(run_layer(flux_chain({julia_function("NNlib.softmax")}), {2, 2}, {1, 2, 2, 1}),
              {std::exp(1) / sum, std::exp(2) / sum, std::exp(2) / sum, std::exp(1) / sum});
  check_close(run_layer(flux_chain({julia_function("NNlib.logsoftmax")}), {2}, {1, 2}),
              {1 - std::log(sum), 2 - std::log(sum)});
}

TEST_CASE("functions that are not known") {
  CHECK(layer_refusal(flux_chain({julia_function("Main.wiggle")}), {2})
            .find("node 'model.1' (wiggle): this function is not known") == 0);
  CHECK(layer_refusal(flux_chain({julia_function("NNlib.rrelu")}), {2}).find("rrelu") !=
        std::string::npos);
}

}  // namespace figment::testing
