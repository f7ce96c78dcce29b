// Convolutions and fully connected layers: in float32, with weights of float16 and int8, and in
// integers, against loops in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/import/run_graph.h"
#include "tests/import/tflite_layers.h"

namespace figment::testing::lite {
namespace {

using format::OperatorOptions;
using tflite::ActivationFunctionType;

std::vector<double> wide(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

// The operands in the operator's order.
std::vector<int> operands(TfliteBuilder& builder, const Layer& layer, int x, int weights,
                          int bias) {
  if (!layer.transposed()) return {x, weights, bias};
  return {builder.integers({4}, {1, layer.asked[0], layer.asked[1], layer.outputs}), weights, x,
          bias};
}

void check(const TfliteBuilder& builder, const std::vector<float>& x,
           const std::vector<double>& expected, double allowed) {
  const std::vector<double> found = run_model(builder, {x});
  REQUIRE(found.size() == expected.size());
  double worst = 0;
  for (std::size_t at = 0; at < found.size(); ++at)
    worst = std::fmax(worst, std::fabs(found[at] - expected[at]));
  CHECK(worst <= allowed);
}

}  // namespace

TEST_CASE("layers in float32, and with weights of float16") {
  for (const Layer& layer : layers()) {
    CAPTURE(static_cast<int>(layer.kind));
    const std::vector<float> x = random_numbers(layer.height * layer.width * layer.channels, 1);
    const std::vector<float> weights = random_numbers(layer.weight_count(), 2);
    const std::vector<float> bias = random_numbers(layer.outputs, 3);
    const std::vector<double> expected = layer.run(wide(x), wide(weights), wide(bias));
    TfliteBuilder builder;
    const int input = builder.input(layer.x_shape());
    const int y = builder.tensor(layer.y_shape());
    builder.node(layer.kind,
                 operands(builder, layer, input, builder.floats(layer.weights_shape(), weights),
                          builder.floats({layer.outputs}, bias)),
                 {y}, layer.options());
    builder.output(y);
    check_model(builder, {x}, layer.y_shape(), expected);

    TfliteBuilder half;
    const int half_input = half.input(layer.x_shape());
    const int narrow = half.halves(layer.weights_shape(), weights);
    const int wide_weights = half.tensor(layer.weights_shape()),
              half_y = half.tensor(layer.y_shape());
    half.node(BuiltinOperator::DEQUANTIZE, {narrow}, {wide_weights});
    half.node(layer.kind, operands(half, layer, half_input, wide_weights, -1), {half_y},
              layer.options());
    half.output(half_y);
    CHECK(half.import().nodes.size() ==
          (layer.activation == ActivationFunctionType::NONE ? 1 : 2));  // the layer, its activation
    check(half, x, layer.run(wide(x), wide(weights), {}), 2e-2);
  }
}

TEST_CASE("layers with int8 weights alone keep them") {
  for (const Layer& layer : layers()) {
    CAPTURE(static_cast<int>(layer.kind));
    const std::vector<int> integers = random_int8(layer.weight_count(), 4);
    std::vector<float> scales = random_numbers(layer.outputs, 5, 0.002F, 0.01F);
    const std::vector<float> x = random_numbers(layer.height * layer.width * layer.channels, 1);
    const std::vector<float> bias = random_numbers(layer.outputs, 3);
    std::vector<double> weights(integers.size());
    const int depth = layer.depthwise() ? 1 : layer.channels / layer.groups;
    for (int o = 0; o < layer.outputs; ++o)
      for (int u = 0; u < layer.kernel[0]; ++u)
        for (int v = 0; v < layer.kernel[1]; ++v)
          for (int c = 0; c < depth; ++c)
            weights[layer.weight(o, u, v, c)] =
                double{scales[static_cast<std::size_t>(o)]} * integers[layer.weight(o, u, v, c)];
    TfliteBuilder builder;
    const int input = builder.input(layer.x_shape());
    const int y = builder.tensor(layer.y_shape());
    const int constant =
        builder.bytes(layer.weights_shape(), integers, {scales, {}, layer.depthwise() ? 3 : 0});
    builder.node(layer.kind,
                 operands(builder, layer, input, constant, builder.floats({layer.outputs}, bias)),
                 {y}, layer.options());
    builder.output(y);
    const converter::Graph graph = builder.import();
    const converter::GraphTensor& stored = graph.tensor(graph.nodes.at(0).inputs[1]);
    CHECK(stored.type == DataType::kInt8);
    CHECK(stored.scales == scales);
    // Activations are rounded to 8 bits for each row of a product.
    check(builder, x, layer.run(wide(x), weights, wide(bias)), 0.05);
  }
}

TEST_CASE("layers of int8 compute in integers") {
  for (const bool per_channel : {true, false}) {
    for (const Layer& layer : layers()) {
      CAPTURE(static_cast<int>(layer.kind));
      const float x_step = 0.02F, y_step = 0.04F;
      const std::vector<int> x_int =
          random_int8(layer.height * layer.width * layer.channels, 1, -128, 127);
      const std::vector<int> w_int = random_int8(layer.weight_count(), 4);
      const std::vector<float> scales = per_channel
                                            ? random_numbers(layer.outputs, 5, 0.002F, 0.01F)
                                            : std::vector<float>{0.006F};
      const std::vector<int> bias_int = random_int8(layer.outputs, 6);
      std::vector<float> x;
      x.reserve(x_int.size());
      for (const int q : x_int) x.push_back(x_step * static_cast<float>(q - 7));
      std::vector<double> weights(w_int.size()), bias;
      const int depth = layer.depthwise() ? 1 : layer.channels / layer.groups;
      for (int o = 0; o < layer.outputs; ++o) {
        const double scale = double{scales[per_channel ? static_cast<std::size_t>(o) : 0]};
        bias.push_back(double{x_step} * scale * 100 * bias_int[static_cast<std::size_t>(o)]);
        for (int u = 0; u < layer.kernel[0]; ++u)
          for (int v = 0; v < layer.kernel[1]; ++v)
            for (int c = 0; c < depth; ++c)
              weights[layer.weight(o, u, v, c)] = scale * w_int[layer.weight(o, u, v, c)];
      }
      std::vector<std::int32_t> stored_bias;
      stored_bias.reserve(bias_int.size());
      for (const int q : bias_int) stored_bias.push_back(100 * q);
      TfliteBuilder builder;
      const int input = builder.input(layer.x_shape(), TensorType::INT8, {{x_step}, {7}});
      const int y = builder.tensor(layer.y_shape(), TensorType::INT8, {{y_step}, {-9}});
      const int constant =
          builder.bytes(layer.weights_shape(), w_int, {scales, {0}, layer.depthwise() ? 3 : 0});
      builder.node(layer.kind,
                   operands(builder, layer, input, constant, builder.int32_bias(stored_bias)), {y},
                   layer.options());
      builder.output(y);
      const bool clamp = layer.activation != ActivationFunctionType::TANH;  // else in float32
      CHECK(builder.count(OperatorOptions::QuantizedConv2D) +
                builder.count(OperatorOptions::QuantizedConvTranspose2D) ==
            (clamp ? 1 : 0));
      std::vector<double> expected = layer.run(wide(x), weights, bias);
      for (double& value : expected)
        value = std::fmin(std::fmax(value, -119 * double{y_step}), 136 * double{y_step});
      check(builder, x, expected, 0.505 * double{y_step});
    }
  }
}

TEST_CASE("FULLY_CONNECTED: rows, more axes, int8") {
  const std::vector<float> weights = random_numbers(12, 1), bias = {0.5F, -1};
  const std::vector<float> x = random_numbers(24, 2);
  std::vector<double> expected;
  for (std::size_t row = 0; row < 4; ++row)
    for (std::size_t o = 0; o < 2; ++o) {
      double sum = double{bias[o]};
      for (std::size_t k = 0; k < 6; ++k)
        sum += double{x[row * 6 + k]} * double{weights[o * 6 + k]};
      expected.push_back(std::fmax(sum, 0));
    }
  tflite::FullyConnectedOptionsT options;
  options.fused_activation_function = ActivationFunctionType::RELU;
  for (const bool keep : {false, true}) {
    options.keep_num_dims = keep;
    TfliteBuilder builder;
    const int input = builder.input({2, 2, 6}), y = builder.tensor({4, 2});
    builder.node(BuiltinOperator::FULLY_CONNECTED,
                 {input, builder.floats({2, 6}, weights), builder.floats({2}, bias)}, {y},
                 options_of(options));
    builder.output(y);
    check_model(builder, {x}, keep ? Extents{2, 2, 2} : Extents{4, 2}, expected);
  }
  // Weights that are computed.
  TfliteBuilder computed;
  const int a = computed.input({4, 6}), b = computed.input({2, 6}, TensorType::FLOAT32, {}, "w");
  const int y = computed.tensor({4, 2});
  computed.node(BuiltinOperator::FULLY_CONNECTED, {a, b, computed.floats({2}, bias)}, {y},
                options_of(options));
  computed.output(y);
  check_model(computed, {x, weights}, {4, 2}, expected);
}

TEST_CASE("uint8 is int8 with its zero point 128 less; weights with one are computed in float32") {
  for (const int zero : {128, 130}) {
    TfliteBuilder builder;
    const int x = builder.input({1, 3}, TensorType::UINT8, {{0.5F}, {120}});
    const int y = builder.tensor({1, 2}, TensorType::UINT8, {{0.25F}, {100}});
    std::vector<int> weights;
    for (const int value : {1, -2, 3, 4, 5, -6}) weights.push_back(value + zero);
    builder.node(BuiltinOperator::FULLY_CONNECTED,
                 {x, builder.bytes({2, 3}, weights, {{0.5F}, {zero}}, TensorType::UINT8),
                  builder.int32_bias({10, -20})},
                 {y}, options_of(tflite::FullyConnectedOptionsT{}));
    builder.output(y);
    CHECK(builder.count(OperatorOptions::QuantizedDense) == (zero == 128 ? 1 : 0));
    check_model(builder, {{1, 2, -1.5F}}, {1, 2}, {2.5 - 3.75, -5 + 2 + 5 + 4.5});
  }
}

TEST_CASE("sums that int32 may not hold are computed in float32") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2}, TensorType::INT8, {{1}, {0}});
  const int y = builder.tensor({1, 1}, TensorType::INT8, {{1e7F}, {0}});
  builder.node(BuiltinOperator::FULLY_CONNECTED,
               {x, builder.bytes({1, 2}, {100, 100}, {{1}, {0}}), builder.int32_bias({2147483647})},
               {y}, options_of(tflite::FullyConnectedOptionsT{}));
  builder.output(y);
  CHECK(builder.count(OperatorOptions::Dense) == 1);
  check_model(builder, {{127, 127}}, {1, 1}, {1.27e9}, 1);
}

TEST_CASE("BATCH_MATMUL, with either operand turned") {
  const std::vector<float> a = random_numbers(12, 1), b = random_numbers(12, 2);
  for (int turned = 0; turned < 4; ++turned) {
    tflite::BatchMatMulOptionsT options;
    options.adj_x = (turned & 1) != 0;
    options.adj_y = (turned & 2) != 0;
    TfliteBuilder builder;
    const int x = builder.input(options.adj_x ? Extents{2, 3, 2} : Extents{2, 2, 3});
    const int w = builder.input(options.adj_y ? Extents{2, 2, 3} : Extents{2, 3, 2},
                                TensorType::FLOAT32, {}, "w");
    const int y = builder.tensor({2, 2, 2});
    builder.node(BuiltinOperator::BATCH_MATMUL, {x, w}, {y}, options_of(options)).output(y);
    std::vector<double> expected;
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 2; ++j) {
          double sum = 0;
          for (std::size_t k = 0; k < 3; ++k)
            sum += double{a[n * 6 + (options.adj_x ? k * 2 + i : i * 3 + k)]} *
                   double{b[n * 6 + (options.adj_y ? j * 3 + k : k * 2 + j)]};
          expected.push_back(sum);
        }
    check_model(builder, {a, b}, {2, 2, 2}, expected);
  }
}

TEST_CASE("layers whose operands do not fit are refused") {
  const auto refusal = [](const Extents& x_shape, const Extents& weights_shape, std::size_t bias) {
    TfliteBuilder builder;
    std::int64_t count = 1;
    for (const std::int64_t extent : weights_shape) count *= extent;
    tflite::Conv2DOptionsT options;
    options.stride_h = options.stride_w = 1;
    const int x = builder.input(x_shape), y = builder.tensor({1});
    builder.node(BuiltinOperator::CONV_2D,
                 {x, builder.floats(weights_shape, random_numbers(count, 1)),
                  builder.floats({static_cast<std::int64_t>(bias)}, std::vector<float>(bias))},
                 {y}, options_of(options));
    return builder.output(y).refusal();
  };
  CHECK(refusal({1, 4, 4, 3}, {2, 3, 3, 3}, 2) == "");
  CHECK(refusal({1, 4, 3}, {2, 3, 3, 3}, 2).find("must be N,H,W,C") != std::string::npos);
  CHECK(refusal({1, 4, 4, 3}, {2, 3, 3, 2}, 2).find("for 2 channels") != std::string::npos);
  CHECK(refusal({1, 4, 4, 3}, {2, 3, 3}, 2).find("must have 4 axes") != std::string::npos);
  CHECK(refusal({1, 4, 4, 3}, {2, 3, 3, 3}, 3) != "");
}

}  // namespace figment::testing::lite
