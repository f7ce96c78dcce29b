// Weights become int8 with a scale for each output channel; what cannot, and what is no weight,
// stays.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "converter/passes/passes.h"
#include "converter/passes/weights.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using figment::DataType;

namespace {

int q_of(const GraphTensor& tensor, std::size_t index) {
  return static_cast<std::int8_t>((*tensor.data)[index]);
}

// Every element is as near as its channel's scale allows, and every channel has one of 127.
void check_quantized(const Node& node, const GraphTensor& before, const GraphTensor& after) {
  REQUIRE(after.type == DataType::kInt8);
  REQUIRE(after.shape == before.shape);
  REQUIRE(after.scales.size() == channel_count(node, before.shape));
  std::vector<int> largest(after.scales.size(), 0);
  int wrong = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(before.shape.elements()); ++i) {
    const std::size_t channel = channel_of(node, before.shape, i);
    const float scale = after.scales[channel];
    const int q = q_of(after, i);
    largest[channel] = std::max(largest[channel], std::abs(q));
    if (std::fabs(before.floats()[i] - scale * static_cast<float>(q)) > 0.501f * scale) ++wrong;
  }
  CHECK(wrong == 0);
  for (const int value : largest) CHECK(value == 127);
}

}  // namespace

TEST_CASE("weights of every kind of product become int8, biases do not") {
  Graph before;
  TensorId x = add_batch_input(before, "x", {1, 3, 4, 2});
  x = convolution(before, x, 4, 1);
  x = transposed_convolution(before, x, 6, 2, 3);
  x = dense(before, x, 5, 4);
  add_output(before, x);
  Graph after = before;
  const PassResult result = quantize_weights(after);
  CHECK(result.changes == 3);
  CHECK(result.sentence == "stored 3 weight tensors as int8, with a scale for each output channel");
  REQUIRE(after.nodes.size() == before.nodes.size());
  for (std::size_t i = 0; i < after.nodes.size(); ++i) {
    const Node& node = after.nodes[i];
    check_quantized(node, before.tensor(before.nodes[i].inputs[1]), after.tensor(node.inputs[1]));
    if (node.inputs.size() > 2 && node.inputs[2] != kAbsent)
      CHECK(after.tensor(node.inputs[2]).type == DataType::kFloat32);
  }
  const double error = difference(before, after);
  CHECK(error > 0.0);
  CHECK(error < 0.1);
  CHECK(quantize_weights(after).changes == 0);
}

TEST_CASE("both weights of a recurrent layer become int8, its bias does not") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 3, 4});
  format::RecurrentT options;
  options.cell = format::RecurrentCell::Gru;
  add_output(before,
             before.add_node("gru", make_options(std::move(options)),
                             {x, add_some(before, {1, 6, 4}, 1), add_some(before, {1, 6, 2}, 2),
                              add_some(before, {1, 12}, 3)}));
  Graph after = before;
  CHECK(quantize_weights(after).changes == 2);
  for (const std::size_t index : {1, 2})
    check_quantized(after.nodes[0], before.tensor(before.nodes[0].inputs[index]),
                    after.tensor(after.nodes[0].inputs[index]));
  CHECK(after.tensor(after.nodes[0].inputs[3]).type == DataType::kFloat32);
  CHECK(difference(before, after) < 0.1);
}

TEST_CASE("channels of zeros and of numbers next to nothing") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3});
  const TensorId weights =
      graph.add_floats("weights", make_shape({3, 3}), {0, 0, 0, 1e-44f, -1e-44f, 0, 1, -2, 0.5f});
  add_output(graph, graph.add_node("dense", make_options(format::DenseT{}), {x, weights, kAbsent}));
  CHECK(quantize_weights(graph).changes == 1);
  const GraphTensor& stored = graph.tensor(graph.nodes[0].inputs[1]);
  CHECK(stored.scales == std::vector<float>{1, 1, 2.0f / 127});
  const int expected[] = {0, 0, 0, 0, 0, 0, 64, -127, 32};
  for (std::size_t i = 0; i < 9; ++i) CHECK(q_of(stored, i) == expected[i]);
}

TEST_CASE("what the runtime does not multiply as int8 stays float32") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 2});
  const float infinity = std::numeric_limits<float>::infinity();
  const auto add_dense = [&](const TensorId input, const TensorId weights) {
    return graph.add_node("dense", make_options(format::DenseT{}), {input, weights, kAbsent});
  };
  TensorId y = add_dense(x, graph.add_floats("infinite", make_shape({1, 2}), {infinity, 1.0f}));
  y = add_dense(y, add_some(graph, {65537, 1}, 1));  // one weight a channel
  y = add_dense(y, add_some(graph, {3, 65537}, 2));  // too deep
  y = graph.add_node("product", make_options(format::MatMulT{}), {y, add_some(graph, {3, 5}, 3)});
  add_output(graph, y);
  const PassResult result = quantize_weights(graph);
  CHECK(result.changes == 0);
  CHECK(result.sentence.find("4 tensors of MatMul, too deep, too small or not finite") !=
        std::string::npos);
  for (const Node& node : graph.nodes)
    CHECK(graph.tensor(node.inputs[1]).type == DataType::kFloat32);
}

TEST_CASE("factors are not folded into int8 weights") {
  Graph before;
  TensorId x = add_batch_input(before, "x", {1, 3});
  x = dense(before, x, 4, 1);
  x = binary(before, x, add_some(before, {4}, 2), format::BinaryFunction::Mul);
  add_output(before, x);
  CHECK(quantize_weights(before).changes == 1);
  Graph after = before;
  CHECK(fold_batch_normalization(after).changes == 0);
  CHECK(difference(before, after) == 0.0);
}
