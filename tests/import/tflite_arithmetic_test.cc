// Arithmetic on two tensors: float32, whole numbers, and int8.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

using tflite::ActivationFunctionType;

template <typename Table>
tflite::BuiltinOptionsUnion fused(ActivationFunctionType activation) {
  Table options;
  options.fused_activation_function = activation;
  return options_of(options);
}

struct Row {
  BuiltinOperator kind;
  std::function<double(double, double)> function;
  tflite::BuiltinOptionsUnion options = {};
};

std::vector<Row> rows() {
  return {
      {BuiltinOperator::ADD, [](double a, double b) { return a + b; },
       fused<tflite::AddOptionsT>(ActivationFunctionType::NONE)},
      {BuiltinOperator::ADD, [](double a, double b) { return std::fmax(a + b, 0); },
       fused<tflite::AddOptionsT>(ActivationFunctionType::RELU)},
      {BuiltinOperator::SUB, [](double a, double b) { return std::fmin(std::fmax(a - b, 0), 6); },
       fused<tflite::SubOptionsT>(ActivationFunctionType::RELU6)},
      {BuiltinOperator::SUB, [](double a, double b) { return a - b; }},
      {BuiltinOperator::MUL, [](double a, double b) { return std::fmin(std::fmax(a * b, -1), 1); },
       fused<tflite::MulOptionsT>(ActivationFunctionType::RELU_N1_TO_1)},
      {BuiltinOperator::DIV, [](double a, double b) { return std::tanh(a / b); },
       fused<tflite::DivOptionsT>(ActivationFunctionType::TANH)},
      {BuiltinOperator::MAXIMUM, [](double a, double b) { return std::fmax(a, b); }},
      {BuiltinOperator::MINIMUM, [](double a, double b) { return std::fmin(a, b); }},
      {BuiltinOperator::POW, [](double a, double b) { return std::pow(a, b); }},
      {BuiltinOperator::FLOOR_MOD, [](double a, double b) { return a - b * std::floor(a / b); }},
      {BuiltinOperator::SQUARED_DIFFERENCE, [](double a, double b) { return (a - b) * (a - b); }},
      {BuiltinOperator::ADD_N, [](double a, double b) { return a + b; }}};
}

}  // namespace

TEST_CASE("two tensors, broadcast") {
  for (const Row& row : rows()) {
    CAPTURE(tflite::EnumNameBuiltinOperator(row.kind));
    TfliteBuilder builder;
    const int a = builder.input({2, 3, 4}), b = builder.input({3, 1}, TensorType::FLOAT32, {}, "b");
    const int y = builder.tensor({2, 3, 4});
    builder.node(row.kind, {a, b}, {y}, row.options).output(y);
    const std::vector<float> left = random_numbers(24, 1, 0.5F, 3);
    const std::vector<float> right = {0.75F, 1.5F, 2};
    std::vector<double> expected;
    for (std::size_t at = 0; at < 24; ++at)
      expected.push_back(row.function(double{left[at]}, double{right[at / 4 % 3]}));
    check_model(builder, {left, right}, {2, 3, 4}, expected);
  }
}

TEST_CASE("two tensors of int8: sums in integers, the rest between Dequantize and Quantize") {
  const float a_step = 0.03F, b_step = 0.02F, y_step = 0.05F;
  for (const Row& row : rows()) {
    CAPTURE(tflite::EnumNameBuiltinOperator(row.kind));
    TfliteBuilder builder;
    const int a = builder.input({1, 100}, TensorType::INT8, {{a_step}, {-100}});
    const int b = builder.input({1, 100}, TensorType::INT8, {{b_step}, {-110}}, "b");
    const int y = builder.tensor({1, 100}, TensorType::INT8, {{y_step}, {-20}});
    builder.node(row.kind, {a, b}, {y}, row.options).output(y);
    const bool sum = row.kind == BuiltinOperator::ADD || row.kind == BuiltinOperator::SUB;
    CHECK(builder.count(format::OperatorOptions::QuantizedAdd) == (sum ? 1 : 0));
    std::vector<float> left, right;
    std::vector<double> exact;
    const std::vector<int> a_int = random_int8(100, 1, -90, 100),
                           b_int = random_int8(100, 2, -100, 100);
    for (std::size_t at = 0; at < 100; ++at) {
      left.push_back(a_step * static_cast<float>(a_int[at] + 100));
      right.push_back(b_step * static_cast<float>(b_int[at] + 110));
      exact.push_back(row.function(double{left[at]}, double{right[at]}));
    }
    const std::vector<double> found = run_model(builder, {left, right});
    for (std::size_t at = 0; at < 100; ++at) {
      CAPTURE(exact[at]);
      CAPTURE(found[at]);
      const double clamped =
          std::fmin(std::fmax(exact[at], -108 * double{y_step}), 147 * double{y_step});
      CHECK(std::fabs(found[at] - clamped) <= 0.52 * double{y_step});
    }
  }
}

TEST_CASE("int8 and one number is a table") {
  TfliteBuilder builder;
  const int x = builder.input({1, 8}, TensorType::INT8, {{0.5F}, {0}});
  const int y = builder.tensor({1, 8}, TensorType::INT8, {{0.25F}, {1}});
  builder.node(BuiltinOperator::MUL, {x, builder.bytes({1}, {3}, {{0.5F}, {1}})}, {y}).output(y);
  CHECK(builder.count(format::OperatorOptions::QuantizedUnary) == 1);
  check_model(builder, {{-3, -2, -1, 0, 1, 2, 3, 4}}, {1, 8}, {-3, -2, -1, 0, 1, 2, 3, 4});
}

TEST_CASE("whole numbers stay whole") {
  TfliteBuilder builder;
  const int a = builder.input({4}, TensorType::INT32);
  const int y = builder.tensor({4}, TensorType::INT32);
  builder.node(BuiltinOperator::ADD, {a, builder.integers({1}, {3})}, {y}).output(y);
  check_model(builder, {{1, -5, 7, 1000}}, {4}, {4, -2, 10, 1003});
}

}  // namespace figment::testing::lite
