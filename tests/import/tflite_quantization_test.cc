// Between int8 and float32.
#include <doctest/doctest.h>

#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {

TEST_CASE("there and back is the nearest step") {
  TfliteBuilder builder;
  const int x = builder.input({1, 5});
  const int q = builder.tensor({1, 5}, TensorType::INT8, {{0.5F}, {-100}});
  const int y = builder.tensor({1, 5});
  builder.node(BuiltinOperator::QUANTIZE, {x}, {q}).node(BuiltinOperator::DEQUANTIZE, {q}, {y});
  builder.output(y);
  check_model(builder, {{-20, 0.2F, 0.3F, 50, 1000}}, {1, 5}, {-14, 0, 0.5, 50, 113.5});
}

TEST_CASE("from one range to another, and from uint8") {
  for (const TensorType type : {TensorType::INT8, TensorType::UINT8}) {
    TfliteBuilder builder;
    const int zero = type == TensorType::UINT8 ? 128 : 0;
    const int x = builder.input({1, 4}, type, {{0.25F}, {zero}});
    const int y = builder.tensor({1, 4}, TensorType::INT8, {{0.5F}, {3}});
    builder.node(BuiltinOperator::QUANTIZE, {x}, {y}).output(y);
    CHECK(builder.count(format::OperatorOptions::QuantizedUnary) == 1);
    check_model(builder, {{-30, 0.5F, 1, 31}}, {1, 4}, {-30, 0.5, 1, 31});
  }
}

TEST_CASE("constants of float16 and int8 become float32") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2});
  const int half = builder.halves({2}, {0.5F, 65504}), a = builder.tensor({2});
  const int bytes = builder.bytes({2}, {-128, 127}, {{0.5F, 2}, {0, 1}}), b = builder.tensor({2});
  const int sum = builder.tensor({1, 2}), y = builder.tensor({1, 2});
  builder.node(BuiltinOperator::DEQUANTIZE, {half}, {a})
      .node(BuiltinOperator::DEQUANTIZE, {bytes}, {b});
  builder.node(BuiltinOperator::ADD, {x, a}, {sum})
      .node(BuiltinOperator::ADD, {sum, b}, {y})
      .output(y);
  CHECK(builder.import().nodes.size() == 2);
  check_model(builder, {{1, 2}}, {1, 2}, {1.5 - 64, 65506 + 252});
}

TEST_CASE("scales and zero points that make no sense are refused") {
  const auto refusal = [](const Quantized& quantized, TensorType type) {
    TfliteBuilder builder;
    const int x = builder.input({1, 2});
    const int y = builder.tensor({1, 2}, type, quantized);
    return builder.node(BuiltinOperator::QUANTIZE, {x}, {y}).output(y).refusal();
  };
  CHECK(refusal({{1}, {0}}, TensorType::INT8) == "");
  CHECK(refusal({{1}, {}}, TensorType::INT8) == "");
  CHECK(refusal({{1}, {128}}, TensorType::INT8).find("zero point 128") != std::string::npos);
  CHECK(refusal({{1}, {-1}}, TensorType::UINT8).find("zero point -1") != std::string::npos);
  CHECK(refusal({{0}, {0}}, TensorType::INT8).find("positive and finite") != std::string::npos);
  CHECK(refusal({{1, 2}, {0, 0}}, TensorType::INT8).find("only weights") != std::string::npos);
  CHECK(refusal({{1}, {0}}, TensorType::INT16).find("INT16") != std::string::npos);
  CHECK(refusal({}, TensorType::INT8).find("only int8 and uint8") != std::string::npos);
}

}  // namespace figment::testing::lite
