// Functions of one number, in float32 and as tables of int8, against the C library.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

struct Row {
  BuiltinOperator kind;
  std::function<double(double)> function;
  double low = -4, high = 4;  // of x
  tflite::BuiltinOptionsUnion options = {};
};

std::vector<Row> rows() {
  tflite::LeakyReluOptionsT leaky;
  leaky.alpha = 0.25F;
  tflite::GeluOptionsT approximate;
  approximate.approximate = true;
  const auto gelu = [](double x) { return x * (1 + std::erf(x / std::sqrt(2))) / 2; };
  const auto gelu_tanh = [](double x) {
    return x * (1 + std::tanh(std::sqrt(2 / std::acos(-1)) * (x + 0.044715 * x * x * x))) / 2;
  };
  return {
      {BuiltinOperator::ABS, [](double x) { return std::fabs(x); }},
      {BuiltinOperator::CEIL, [](double x) { return std::ceil(x); }},
      {BuiltinOperator::COS, [](double x) { return std::cos(x); }},
      {BuiltinOperator::ELU, [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {BuiltinOperator::EXP, [](double x) { return std::exp(x); }},
      {BuiltinOperator::FLOOR, [](double x) { return std::floor(x); }},
      {BuiltinOperator::GELU, gelu, -4, 4, options_of(tflite::GeluOptionsT{})},
      {BuiltinOperator::GELU, gelu_tanh, -4, 4, options_of(approximate)},
      {BuiltinOperator::HARD_SWISH,
       [](double x) { return x * std::fmin(std::fmax(x + 3, 0), 6) / 6; }},
      {BuiltinOperator::LEAKY_RELU, [](double x) { return x < 0 ? x / 4 : x; }, -4, 4,
       options_of(leaky)},
      {BuiltinOperator::LOG, [](double x) { return std::log(x); }, 0.25, 8},
      {BuiltinOperator::LOGISTIC, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {BuiltinOperator::NEG, [](double x) { return -x; }},
      {BuiltinOperator::RELU, [](double x) { return std::fmax(x, 0); }},
      {BuiltinOperator::RELU6, [](double x) { return std::fmin(std::fmax(x, 0), 6); }, -2, 9},
      {BuiltinOperator::RELU_0_TO_1, [](double x) { return std::fmin(std::fmax(x, 0), 1); }},
      {BuiltinOperator::RELU_N1_TO_1, [](double x) { return std::fmin(std::fmax(x, -1), 1); }},
      {BuiltinOperator::ROUND, [](double x) { return std::nearbyint(x); }},
      {BuiltinOperator::RSQRT, [](double x) { return 1 / std::sqrt(x); }, 0.25, 8},
      {BuiltinOperator::SIGN, [](double x) { return x > 0   ? 1.0
                                                    : x < 0 ? -1.0
                                                            : 0.0; }},
      {BuiltinOperator::SIN, [](double x) { return std::sin(x); }},
      {BuiltinOperator::SQRT, [](double x) { return std::sqrt(x); }, 0, 8},
      {BuiltinOperator::SQUARE, [](double x) { return x * x; }},
      {BuiltinOperator::TANH, [](double x) { return std::tanh(x); }},
  };
}

}  // namespace

TEST_CASE("functions of one number") {
  for (const Row& row : rows()) {
    const std::vector<float> x =
        random_numbers(30, 1, static_cast<float>(row.low), static_cast<float>(row.high));
    std::vector<double> expected;
    expected.reserve(x.size());
    for (const float value : x) expected.push_back(row.function(double{value}));
    check_operator(row.kind, {1, 5, 6}, x, {}, row.options, {1, 5, 6}, expected);
  }
}

TEST_CASE("functions of int8 become tables") {
  for (const Row& row : rows()) {
    CAPTURE(tflite::EnumNameBuiltinOperator(row.kind));
    const float step = static_cast<float>(row.high - row.low) / 255;
    const int zero = static_cast<int>(std::nearbyint(-128 - row.low / double{step}));
    if (zero < -128) continue;  // a range without 0 is none of TFLite's
    TfliteBuilder builder;
    const int x = builder.input({1, 256}, TensorType::INT8, {{step}, {zero}});
    const int y = builder.tensor({1, 256}, TensorType::INT8, {{0.0625F}, {-28}});
    builder.node(row.kind, {x}, {y}, row.options).output(y);
    CHECK(builder.count(format::OperatorOptions::QuantizedUnary) == 1);
    CHECK(builder.import().nodes.size() == 3);  // between Quantize and Dequantize
    // TFLite rounds this one twice.
    const double most = row.kind == BuiltinOperator::LEAKY_RELU ? 0.77 : 0.51;
    std::vector<float> values;
    for (int q = -128; q < 128; ++q) values.push_back(step * static_cast<float>(q - zero));
    const std::vector<double> found = run_model(builder, {values});
    for (std::size_t at = 0; at < values.size(); ++at) {
      const double exact = row.function(double{values[at]});
      const double clamped = std::fmin(std::fmax(exact, -100 * 0.0625), 155 * 0.0625);
      CAPTURE(values[at]);
      CHECK(std::fabs(found[at] - clamped) <= 0.0625 * most);
    }
  }
}

TEST_CASE("PRELU has a slope for each channel") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2, 2, 3});
  const int y = builder.tensor({1, 2, 2, 3});
  builder.node(BuiltinOperator::PRELU, {x, builder.floats({1, 1, 3}, {0.5F, 2, -1})}, {y});
  builder.output(y);
  check_model(builder, {{-1, -1, -1, 2, 2, 2, -4, 3, -2, 0, -3, 5}}, {1, 2, 2, 3},
              {-0.5, -2, 1, 2, 2, 2, -2, 3, 2, 0, -6, 5});
}

TEST_CASE("options that are missing are refused") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2}), y = builder.tensor({1, 2});
  builder.node(BuiltinOperator::LEAKY_RELU, {x}, {y}).output(y);
  CHECK(builder.refusal() == "node 't1' (LEAKY_RELU): it lacks its options; the file is damaged");
}

}  // namespace figment::testing::lite
