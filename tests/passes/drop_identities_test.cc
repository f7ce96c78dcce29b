// Operators that change nothing go; those that change something, perhaps only at another batch,
// stay.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

TEST_CASE("identities of every kind are dropped") {
  Graph before;
  TensorId x = add_batch_input(before, "x", {1, 2, 3, 4});
  x = unary(before, x, format::UnaryFunction::Tanh);
  x = unary(before, x, format::UnaryFunction::Identity);
  x = reshape(before, x, {1, 2, 3, 4});
  x = transpose(before, x, {0, 1, 2, 3});
  x = before.add_node("tile", make_options(format::TileT{}), {x}, make_shape({1, 2, 3, 4}));
  x = before.add_node("cast", make_options(format::CastT{}), {x});
  x = before.add_node(
      "slice", make_options(format::SliceT{{}, {0, 0, 0, 0}, {-1, -1, 3, 4}, {1, 1, 1, 1}}), {x});
  x = before.add_node(
      "pad",
      make_options(format::PadT{{}, format::PadMode::Reflect, {0, 0, 0, 0}, {0, 0, 0, 0}, 0}), {x});
  x = before.add_node("concat", make_options(format::ConcatT{{}, 1}), {x});
  x = binary(before, x, add_number(before, 1.0f), format::BinaryFunction::Mul);
  x = binary(before, x, add_number(before, 0.0f), format::BinaryFunction::Add);
  add_output(before, unary(before, x, format::UnaryFunction::Sigmoid));
  Graph after = before;
  CHECK(drop_identities(after).changes == 10);
  CHECK(after.nodes.size() == 2);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("a Reshape of a Reshape reads the first one's input") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 2, 6});
  add_output(before, reshape(before, reshape(before, x, {1, 12}), {1, 3, 4}));
  Graph after = before;
  drop_identities(after);
  CHECK(after.nodes.size() == 1);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("a Reshape that somebody else reads stays for them") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 2, 6});
  const TensorId flat = reshape(before, x, {1, 12});
  add_output(before, reshape(before, flat, {1, 3, 4}));
  add_output(before, unary(before, flat, format::UnaryFunction::Tanh));
  Graph after = before;
  drop_identities(after);
  CHECK(count<format::ReshapeT>(after) == 2);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("a Transpose that moves only axes of extent 1 becomes a Reshape") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 5, 1, 1});
  add_output(before, to_last(before, x));
  Graph after = before;
  CHECK(drop_identities(after).changes == 1);
  CHECK(count<format::TransposeT>(after) == 0);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("the batch counts as more than one even where its extent is 1") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 5});
  add_output(before, transpose(before, x, {1, 0}));
  Graph after = before;
  CHECK(drop_identities(after).changes == 0);
  CHECK(count<format::TransposeT>(after) == 1);
  CHECK(difference(before, after) == 0.0);
}

TEST_CASE("what shows the model's input as its output stays") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 5});
  add_output(graph, unary(graph, x, format::UnaryFunction::Identity));
  CHECK(drop_identities(graph).changes == 0);
  CHECK(graph.nodes.size() == 1);
}

TEST_CASE("near-identities stay") {
  Graph graph;
  TensorId x = add_batch_input(graph, "x", {1, 4});
  x = graph.add_node("reverse", make_options(format::SliceT{{}, {0, 3}, {-1, -1}, {1, -1}}), {x});
  x = binary(graph, x, add_number(graph, 1.0001f), format::BinaryFunction::Mul);
  add_output(graph, x);
  const Graph before = graph;
  CHECK(drop_identities(graph).changes == 0);
  CHECK(graph.nodes.size() == 2);
}
