// Factors and summands per channel disappear into the weights before them.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;

namespace {

void check_folded(const Graph& before, int changes, std::size_t nodes) {
  Graph after = before;
  CHECK(fold_batch_normalization(after).changes == changes);
  CHECK(after.nodes.size() == nodes);
  CHECK(difference(before, after) < 1e-5);
}

void check_left(const Graph& before) {
  Graph after = before;
  CHECK(fold_batch_normalization(after).changes == 0);
  CHECK(after.nodes.size() == before.nodes.size());
  CHECK(difference(before, after) == 0.0);
}

TensorId picture(Graph& graph) { return add_batch_input(graph, "x", {1, 3, 4, 4}); }

}  // namespace

TEST_CASE("into a Dense") {
  Graph graph;
  add_output(graph, batch_normalization(
                        graph, dense(graph, add_batch_input(graph, "x", {1, 5}), 7, 1), 3));
  check_folded(graph, 1, 1);
}

TEST_CASE("into a convolution") {
  Graph graph;
  add_output(graph, batch_normalization(graph, convolution(graph, picture(graph), 5, 1), 3));
  check_folded(graph, 1, 1);
}

TEST_CASE("into a transposed convolution without bias, with groups") {
  for (const int groups : {1, 2}) {
    Graph graph;
    add_output(graph, batch_normalization(
                          graph, transposed_convolution(graph, picture(graph), 6, groups, 1), 3));
    check_folded(graph, 1, 1);
  }
}

TEST_CASE("constants per channel, one after another, in every function and on either side") {
  Graph graph;
  TensorId x = convolution(graph, picture(graph), 5, 1);
  x = binary(graph, x, add_some(graph, {5}, 3), BinaryFunction::Mul);
  x = binary(graph, add_some(graph, {1, 1, 1, 5}, 4), x, BinaryFunction::Add);
  x = binary(graph, add_number(graph, 2.0f), x, BinaryFunction::Sub);
  x = binary(graph, x, add_some(graph, {1, 5}, 5), BinaryFunction::Sub);
  x = binary(graph, x, add_number(graph, 3.0f), BinaryFunction::Div);
  add_output(graph, x);
  check_folded(graph, 5, 1);
}

TEST_CASE("through a Reshape that keeps channels on channels") {
  Graph graph;
  const TensorId flat = dense(graph, add_batch_input(graph, "x", {1, 5}), 2 * 3 * 4, 1);
  add_output(graph, batch_normalization(graph, reshape(graph, flat, {1, 2, 3, 4}), 3));
  check_folded(graph, 1, 2);
}

TEST_CASE("into a normalization's own scale and bias") {
  Graph graph;
  const TensorId x =
      graph.add_node("group", make_options(format::GroupNormalizationT{{}, 2, 1e-5f}),
                     {picture(graph), kAbsent, kAbsent});
  const TensorId scaled = binary(graph, x, add_some(graph, {4}, 3), BinaryFunction::Mul);
  add_output(graph, binary(graph, scaled, add_some(graph, {4}, 4), BinaryFunction::Add));
  check_folded(graph, 2, 1);
}

TEST_CASE("one normalization into another, with its activation") {
  Graph graph;
  add_output(graph, batch_normalization(graph, batch_normalization(graph, picture(graph), 1), 5));
  graph.nodes[1].activation = format::UnaryT{{}, format::UnaryFunction::Relu, 0.0f, 0.0f};
  check_folded(graph, 1, 1);
}

TEST_CASE("not when somebody else reads what the convolution gives") {
  Graph graph;
  const TensorId x = convolution(graph, picture(graph), 5, 1);
  add_output(graph, binary(graph, batch_normalization(graph, x, 3), x, BinaryFunction::Add));
  check_left(graph);
}

TEST_CASE("not when the model shows what the convolution gives") {
  Graph graph;
  const TensorId x = convolution(graph, picture(graph), 5, 1);
  add_output(graph, x);
  add_output(graph, batch_normalization(graph, x, 3));
  check_left(graph);
}

TEST_CASE("not past an activation") {
  Graph graph;
  const TensorId x = convolution(graph, picture(graph), 5, 1);
  add_output(graph, batch_normalization(graph, unary(graph, x, format::UnaryFunction::Relu), 3));
  check_left(graph);
  Graph fused;
  add_output(fused, batch_normalization(fused, convolution(fused, picture(fused), 5, 1), 3));
  fused.nodes[0].activation = format::UnaryT{{}, format::UnaryFunction::Relu, 0.0f, 0.0f};
  check_left(fused);
}

TEST_CASE("not constants per pixel, nor ones that make the tensor larger") {
  Graph graph;
  const TensorId x = convolution(graph, picture(graph), 4, 1);
  SUBCASE("per column") { binary(graph, x, add_some(graph, {4, 1}, 3), BinaryFunction::Mul); }
  SUBCASE("per pixel") { binary(graph, x, add_some(graph, {3, 4, 4}, 3), BinaryFunction::Add); }
  SUBCASE("another axis") {
    binary(graph, x, add_some(graph, {2, 1, 1, 1, 4}, 3), BinaryFunction::Add);
  }
  SUBCASE("divided by") { binary(graph, add_number(graph, 1.0f), x, BinaryFunction::Div); }
  add_output(graph, graph.nodes.back().output);
  Graph after = graph;
  CHECK(fold_batch_normalization(after).changes == 0);
  CHECK(after.nodes.size() == 2);
}

TEST_CASE("not through a Reshape that mixes channels") {
  Graph graph;
  const TensorId flat = dense(graph, add_batch_input(graph, "x", {1, 5}), 6, 1);
  const TensorId doubled =
      graph.add_node("tile", make_options(format::TileT{}), {flat}, make_shape({1, 12}));
  add_output(graph, batch_normalization(graph, doubled, 3));
  check_left(graph);
}

TEST_CASE("weights that two layers share are folded into one of them only") {
  Graph graph;
  const TensorId input = picture(graph);
  const TensorId x = convolution(graph, input, 4, 1);
  const TensorId y = convolution(graph, input, 4, 1);
  graph.nodes[1].inputs = graph.nodes[0].inputs;
  add_output(graph, batch_normalization(graph, x, 3));
  add_output(graph, y);
  check_folded(graph, 1, 2);
}
