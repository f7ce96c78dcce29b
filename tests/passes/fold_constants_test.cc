// What needs no input is computed by the pass; noise and what the model shows is left alone.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

namespace {

// x + (a operator of two constants), as a graph that has not been folded: add_node would do it at
// once, so the constant is swapped in afterwards.
Graph graph_with_constant_node() {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 4});
  const TensorId variable =
      graph.add_input("variable", figment::DataType::kFloat32, make_shape({4}));
  const TensorId sum =
      binary(graph, variable, add_some(graph, {4}, 2), format::BinaryFunction::Mul);
  graph.nodes.back().activation = format::UnaryT{{}, format::UnaryFunction::Relu, 0.0f, 0.0f};
  add_output(graph, binary(graph, x, sum, format::BinaryFunction::Add));
  graph.nodes[0].inputs[0] = add_some(graph, {4}, 1);
  graph.inputs.pop_back();
  sweep(graph);
  return graph;
}

}  // namespace

TEST_CASE("a node of constants and its activation are computed") {
  const Graph before = graph_with_constant_node();
  Graph after = before;
  CHECK(fold_constants(after).changes == 1);
  CHECK(after.nodes.size() == 1);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("noise is not computed ahead of time") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 4});
  const TensorId noise = graph.add_node(
      "noise", make_options(format::RandomNormalT{{}, 0.0f, 1.0f, 7}), {}, make_shape({1, 4}));
  add_output(graph, binary(graph, x, noise, format::BinaryFunction::Add));
  CHECK(fold_constants(graph).changes == 0);
  CHECK(count<format::RandomNormalT>(graph) == 1);
}
