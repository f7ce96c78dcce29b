// Gradients of elementwise functions against central differences in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "runtime/train/unary.h"
#include "tests/train/backward/harness.h"

namespace figment::testing {
namespace {

using format::UnaryFunction;
using Function = double (*)(double x, double alpha, double beta);

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
double elu(double x, double alpha) { return x < 0 ? alpha * std::expm1(x) : x; }

void check_unary(UnaryFunction function, Function definition, float alpha = 0, float beta = 0,
                 float low = -5, float high = 5, std::int32_t count = 203) {
  const std::string name = format::EnumNameUnaryFunction(function);
  CAPTURE(name);
  CAPTURE(alpha);
  format::UnaryT options;
  options.function = function;
  options.alpha = alpha;
  options.beta = beta;
  BackwardCase test;
  test.options = options_of(options);
  test.operands = {random_operand({count}, 7, low, high)};
  test.definition = [=](const Doubles& operands) {
    std::vector<double> y;
    for (const double x : operands[0]) y.push_back(definition(x, double{alpha}, double{beta}));
    return y;
  };
  check_backward(test);
}

TEST_CASE("gradients of elementwise functions") {
  using F = UnaryFunction;
  check_unary(F::Identity, [](double x, double, double) { return x; });
  check_unary(F::Abs, [](double x, double, double) { return std::fabs(x); });
  check_unary(F::Neg, [](double x, double, double) { return -x; });
  check_unary(
      F::Sqrt, [](double x, double, double) { return std::sqrt(x); }, 0, 0, 0.1F);
  check_unary(F::Exp, [](double x, double, double) { return std::exp(x); });
  check_unary(
      F::Log, [](double x, double, double) { return std::log(x); }, 0, 0, 0.1F);
  check_unary(F::Erf, [](double x, double, double) { return std::erf(x); });
  check_unary(F::Relu, [](double x, double, double) { return x < 0 ? 0 : x; });
  for (const float alpha : {0.0F, 0.2F, -0.3F})
    check_unary(
        F::LeakyRelu, [](double x, double a, double) { return x < 0 ? a * x : x; }, alpha);
  for (const float alpha : {1.0F, 0.5F, 0.0F, -0.5F})
    check_unary(
        F::Elu, [](double x, double a, double) { return elu(x, a); }, alpha);
  for (const float alpha : {1.6732632F, -1.0F})
    for (const float gamma : {1.0507010F, -0.5F})
      check_unary(
          F::Selu, [](double x, double a, double g) { return g * elu(x, a); }, alpha, gamma);
  check_unary(F::Sigmoid, [](double x, double, double) { return sigmoid(x); });
  check_unary(
      F::HardSigmoid, [](double x, double a, double b) { return clamp(a * x + b, 0, 1); }, 0.2F,
      0.5F);
  check_unary(F::HardSwish, [](double x, double, double) { return x * clamp(x + 3, 0, 6) / 6; });
  check_unary(F::Tanh, [](double x, double, double) { return std::tanh(x); });
  check_unary(F::Softplus, [](double x, double, double) { return std::log1p(std::exp(x)); });
  check_unary(
      F::Clip, [](double x, double a, double b) { return clamp(x, a, b); }, -1, 2);
  check_unary(F::Gelu,
              [](double x, double, double) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; });
  check_unary(F::GeluTanh, [](double x, double, double) {
    return x / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x)));
  });
  for (const float alpha : {1.0F, -1.5F})
    check_unary(
        F::Swish, [](double x, double a, double) { return x * sigmoid(a * x); }, alpha);
  check_unary(F::Mish,
              [](double x, double, double) { return x * std::tanh(std::log1p(std::exp(x))); });
  check_unary(F::Sin, [](double x, double, double) { return std::sin(x); });
  check_unary(F::Cos, [](double x, double, double) { return std::cos(x); });
  check_unary(F::Floor, [](double x, double, double) { return std::floor(x); });
  check_unary(F::Ceil, [](double x, double, double) { return std::ceil(x); });
  check_unary(F::Round, [](double x, double, double) { return std::nearbyint(x); });
  check_unary(F::Sign, [](double x, double, double) { return x < 0 ? -1.0 : 1.0; });
  check_unary(
      F::Reciprocal, [](double x, double, double) { return 1 / x; }, 0, 0, 0.2F);
  check_unary(
      F::Celu, [](double x, double a, double) { return x < 0 ? a * std::expm1(x / a) : x; }, 0.7F);
  for (const float alpha : {1.0F, -1.0F})
    check_unary(
        F::ThresholdedRelu, [](double x, double a, double) { return x > a ? x : 0; }, alpha);
  check_unary(F::Softsign, [](double x, double, double) { return x / (1 + std::fabs(x)); });
}

TEST_CASE("gradients of elementwise functions of awkward sizes") {
  for (const std::int32_t count : {1, 63, 64, 65})
    check_unary(
        UnaryFunction::Relu, [](double x, double, double) { return x < 0 ? 0 : x; }, 0, 0, -1, 1,
        count);
}

float slope(UnaryFunction function, float value, float alpha = 0, float beta = 0) {
  const float dy = 1;
  float dx = 7;
  train::apply_unary_gradient(function, alpha, beta, &value, &dy, &dx, 1, nullptr);
  return dx;
}

TEST_CASE("slopes at kinks and far out are numbers, and those of PyTorch") {
  CHECK(slope(UnaryFunction::Relu, 0) == 0);
  CHECK(slope(UnaryFunction::LeakyRelu, 0, 0.25F) == 0.25F);
  CHECK(slope(UnaryFunction::Abs, 0) == 0);
  CHECK(slope(UnaryFunction::Clip, 2, -1, 2) == 0);
  CHECK(slope(UnaryFunction::Clip, 1, -1, 2) == 1);
  for (const float far : {-INFINITY, -1e30F, -200.0F}) {
    CAPTURE(far);
    for (const UnaryFunction function : {UnaryFunction::Gelu, UnaryFunction::GeluTanh,
                                         UnaryFunction::Mish, UnaryFunction::HardSwish})
      CHECK(slope(function, far) == 0);
    CHECK(slope(UnaryFunction::Swish, far, 1) == 0);
    for (const UnaryFunction function : {UnaryFunction::Gelu, UnaryFunction::GeluTanh,
                                         UnaryFunction::Mish, UnaryFunction::HardSwish})
      CHECK(slope(function, -far) == 1);
    CHECK(slope(UnaryFunction::Swish, -far, 1) == 1);
  }
}

TEST_CASE("what a gradient is computed from") {
  using Of = train::UnaryGradient::Of;
  CHECK(train::unary_gradient_of(UnaryFunction::Relu, 0, 0) == Of::kOutput);
  CHECK(train::unary_gradient_of(UnaryFunction::LeakyRelu, 0.2F, 0) == Of::kOutput);
  CHECK(train::unary_gradient_of(UnaryFunction::LeakyRelu, -0.2F, 0) == Of::kInput);
  CHECK(train::unary_gradient_of(UnaryFunction::Gelu, 0, 0) == Of::kInput);
  CHECK(train::unary_gradient_of(UnaryFunction::Neg, 0, 0) == Of::kNothing);
}

}  // namespace
}  // namespace figment::testing
