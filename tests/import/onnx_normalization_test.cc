// Normalizations, against their formulas in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

// (x - mean) / sqrt(variance + epsilon) over each of the ranges of `length` neighbours.
std::vector<double> normalized(const std::vector<float>& x, std::size_t length, double epsilon) {
  std::vector<double> y;
  for (std::size_t start = 0; start < x.size(); start += length) {
    double mean = 0, variance = 0;
    for (std::size_t index = start; index < start + length; ++index)
      mean += static_cast<double>(x[index]);
    mean /= static_cast<double>(length);
    for (std::size_t index = start; index < start + length; ++index)
      variance += std::pow(static_cast<double>(x[index]) - mean, 2);
    variance /= static_cast<double>(length);
    for (std::size_t index = start; index < start + length; ++index)
      y.push_back((static_cast<double>(x[index]) - mean) / std::sqrt(variance + epsilon));
  }
  return y;
}

// y * scale + bias, both one a channel of `pixels` neighbours.
std::vector<double> affine(std::vector<double> y, std::size_t pixels,
                           const std::vector<double>& scale, const std::vector<double>& bias) {
  for (std::size_t index = 0; index < y.size(); ++index) {
    const std::size_t channel = index / pixels % scale.size();
    y[index] = y[index] * scale[channel] + bias[channel];
  }
  return y;
}

std::vector<float> wild(std::size_t count) {
  std::vector<float> x;
  for (std::size_t index = 0; index < count; ++index)
    x.push_back(static_cast<float>((index * index * 7 + 3) % 13) * 0.5F);
  return x;
}

const std::vector<float> kX = wild(24);  // N=1, C=4, 6 pixels
const onnx::TensorProto kScale = float_tensor("scale", {4}, {1, 2, -1, 0.5F});
const onnx::TensorProto kBias = float_tensor("bias", {4}, {0, 1, 2, 3});

}  // namespace

TEST_CASE("BatchNormalization of pictures, signals and vectors") {
  const std::vector<onnx::TensorProto> constants = {
      kScale, kBias, float_tensor("mean", {4}, {1, 0, 2, -1}),
      float_tensor("variance", {4}, {1, 4, 0.25F, 2})};
  const auto expected = [](std::size_t pixels) {
    const double mean[] = {1, 0, 2, -1}, variance[] = {1, 4, 0.25, 2}, scale[] = {1, 2, -1, 0.5};
    std::vector<double> y;
    for (std::size_t index = 0; index < 24; ++index) {
      const std::size_t channel = index / pixels % 4;
      y.push_back(scale[channel] * (static_cast<double>(kX[index]) - mean[channel]) /
                      std::sqrt(variance[channel] + 1e-3) +
                  static_cast<double>(channel));
    }
    return y;
  };
  const std::vector<onnx::AttributeProto> attributes = {attribute("epsilon", 1e-3F),
                                                        attribute("momentum", 0.5F)};
  check_node(9, "BatchNormalization", {1, 4, 2, 3}, kX, constants, attributes, {1, 4, 2, 3},
             expected(6));
  check_node(15, "BatchNormalization", {1, 4, 6}, kX, constants, attributes, {1, 4, 6},
             expected(6));
  check_node(15, "BatchNormalization", {6, 4}, kX, constants, attributes, {6, 4}, expected(1));
  auto training = attributes;
  training.push_back(attribute("training_mode", 1));
  check_node_refused(15, "BatchNormalization", {1, 4, 6}, constants, training, "model.eval()");
  check_node_refused(7, "BatchNormalization", {1, 4, 6}, constants, {attribute("spatial", 0)},
                     "spatial = 0");
}

TEST_CASE("InstanceNormalization") {
  check_node(9, "InstanceNormalization", {1, 4, 2, 3}, kX, {kScale, kBias},
             {attribute("epsilon", 1e-2F)}, {1, 4, 2, 3},
             affine(normalized(kX, 6, 1e-2), 6, {1, 2, -1, 0.5}, {0, 1, 2, 3}));
  check_node(9, "InstanceNormalization", {1, 4, 6}, kX, {kScale, kBias}, {}, {1, 4, 6},
             affine(normalized(kX, 6, 1e-5), 6, {1, 2, -1, 0.5}, {0, 1, 2, 3}));
}

TEST_CASE(
    "GroupNormalization: scales are one a group before opset 21, one a channel from there on") {
  const std::vector<onnx::AttributeProto> two = {attribute("num_groups", 2)};
  check_node(18, "GroupNormalization", {1, 4, 2, 3}, kX,
             {float_tensor("scale", {2}, {2, 3}), float_tensor("bias", {2}, {1, -1})}, two,
             {1, 4, 2, 3}, affine(normalized(kX, 12, 1e-5), 6, {2, 2, 3, 3}, {1, 1, -1, -1}));
  check_node(21, "GroupNormalization", {1, 4, 2, 3}, kX, {kScale, kBias}, two, {1, 4, 2, 3},
             affine(normalized(kX, 12, 1e-5), 6, {1, 2, -1, 0.5}, {0, 1, 2, 3}));
  check_node_refused(21, "GroupNormalization", {1, 4, 2, 3}, {kScale, kBias},
                     {attribute("num_groups", 3)}, "4 channels do not divide into 3 groups");
  check_node_refused(21, "GroupNormalization", {1, 4, 2, 3}, {kScale, kBias}, {},
                     "num_groups is 0");
}

TEST_CASE("LayerNormalization over the last axis and over several") {
  const onnx::TensorProto scale = float_tensor("scale", {3}, {1, 2, 3}),
                          bias = float_tensor("bias", {3}, {0, 1, 0});
  check_node(17, "LayerNormalization", {1, 4, 2, 3}, kX, {scale, bias},
             {attribute("epsilon", 1e-3F)}, {1, 4, 2, 3},
             affine(normalized(kX, 3, 1e-3), 1, {1, 2, 3}, {0, 1, 0}));
  check_node(17, "LayerNormalization", {1, 4, 2, 3}, kX,
             {float_tensor("scale", {2, 3}, {1, 2, 3, 4, 5, 6})}, {attribute("axis", 2)},
             {1, 4, 2, 3},
             affine(normalized(kX, 6, 1e-5), 1, {1, 2, 3, 4, 5, 6}, {0, 0, 0, 0, 0, 0}));
  // A scale that broadcasts.
  check_node(17, "LayerNormalization", {1, 4, 2, 3}, kX,
             {scale, float_tensor("bias", {2, 1}, {1, 2})}, {attribute("axis", -2)}, {1, 4, 2, 3},
             affine(normalized(kX, 6, 1e-5), 1, {1, 2, 3, 1, 2, 3}, {1, 1, 1, 2, 2, 2}));
}

TEST_CASE("LayerNormalization's mean and inverse deviation") {
  OnnxBuilder builder(17);
  builder.input("x", {2, 3}).floats("s", {3}, {1, 1, 1});
  builder
      .node("LayerNormalization", {"x", "s"}, {"y", "mean", "inverse"},
            {attribute("epsilon", 0.25F)})
      .output("mean")
      .output("inverse");
  const auto run = run_graph(builder.import(), {{1, 2, 6, 0, 0, 0}});
  CHECK(describe(run.shapes[0]) == "2x1");
  CHECK(run.values[0][0] == doctest::Approx(3));
  CHECK(run.values[0][1] == doctest::Approx(0));
  CHECK(run.values[1][0] == doctest::Approx(1 / std::sqrt(14.0 / 3 + 0.25)));
  CHECK(run.values[1][1] == doctest::Approx(2));
}

}  // namespace figment::testing
