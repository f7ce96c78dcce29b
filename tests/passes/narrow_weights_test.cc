// Weights become float16, rounded to nearest even; what does not fit, and what is no weight, stays.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using figment::DataType;

TEST_CASE("weights of every kind of product are narrowed, biases are not") {
  Graph before;
  TensorId x = add_batch_input(before, "x", {1, 3, 4, 2});
  x = convolution(before, x, 4, 1);
  x = transposed_convolution(before, x, 2, 1, 3);
  x = dense(before, x, 5, 4);
  x = before.add_node("product", make_options(format::MatMulT{}), {x, add_some(before, {5, 3}, 6)});
  add_output(before, x);
  Graph after = before;
  CHECK(narrow_weights(after).changes == 4);
  for (const Node& node : after.nodes) {
    CHECK(after.tensor(node.inputs[1]).type == DataType::kFloat16);
    if (node.inputs.size() > 2 && node.inputs[2] != kAbsent)
      CHECK(after.tensor(node.inputs[2]).type == DataType::kFloat32);
  }
  const double error = difference(before, after);
  CHECK(error > 0.0);
  CHECK(error < 0.02);
}

TEST_CASE("both weights of a recurrent layer are narrowed, its bias is not") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3, 4});
  format::RecurrentT options;
  options.cell = format::RecurrentCell::Gru;
  add_output(graph, graph.add_node("gru", make_options(std::move(options)),
                                   {x, add_some(graph, {1, 6, 4}, 1), add_some(graph, {1, 6, 2}, 2),
                                    add_some(graph, {1, 12}, 3)}));
  CHECK(narrow_weights(graph).changes == 2);
  const std::vector<TensorId>& inputs = graph.nodes[0].inputs;
  CHECK(graph.tensor(inputs[1]).type == DataType::kFloat16);
  CHECK(graph.tensor(inputs[2]).type == DataType::kFloat16);
  CHECK(graph.tensor(inputs[3]).type == DataType::kFloat32);
}

TEST_CASE("rounding is to nearest, ties to even, and its error is told") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3});
  // Between 2048 and 4096 float16 knows even numbers only.
  const TensorId weights =
      graph.add_floats("weights", make_shape({1, 3}), {2049.0f, 2051.0f, 2048.9f});
  add_output(graph, graph.add_node("dense", make_options(format::DenseT{}), {x, weights, kAbsent}));
  const PassResult result = narrow_weights(graph);
  const auto* halves =
      reinterpret_cast<const std::uint16_t*>(graph.tensor(graph.nodes[0].inputs[1]).data->data());
  CHECK(halves[0] == 0x6800);  // 2048: the even one below
  CHECK(halves[1] == 0x6802);  // 2052: the even one above
  CHECK(halves[2] == 0x6800);
  CHECK(result.sentence.find("rounding error is 1") != std::string::npos);
}

TEST_CASE("weights beyond float16's range stay float32") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 2});
  const TensorId weights = before.add_floats("weights", make_shape({1, 2}), {70000.0f, 1.0f});
  add_output(before,
             before.add_node("dense", make_options(format::DenseT{}), {x, weights, kAbsent}));
  Graph after = before;
  const PassResult result = narrow_weights(after);
  CHECK(result.changes == 0);
  CHECK(result.sentence.find("1 tensor with values beyond 65504") != std::string::npos);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("a constant that an addition reads too stays float32 for it") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 3});
  const TensorId shared = add_some(before, {3, 3}, 1);
  const TensorId y = before.add_node("dense", make_options(format::DenseT{}), {x, shared, kAbsent});
  add_output(before, binary(before, y, reshape(before, y, {1, 3}), format::BinaryFunction::Add));
  before.nodes.back().inputs[1] = shared;
  before.any_batch = false;
  before.tensor(x).batch_axis = -1;
  for (const Node& node : before.nodes) before.tensor(node.output).batch_axis = -1;
  before.tensor(before.nodes.back().output).shape = make_shape({3, 3});
  sweep(before);
  Graph after = before;
  CHECK(narrow_weights(after).changes == 1);
  CHECK(difference(before, after) < 1e-3);
}
