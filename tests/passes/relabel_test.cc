// The rules by which Transposes move, on their own.
#include "converter/passes/relabel.h"

#include <doctest/doctest.h>

#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

TEST_CASE("axes of two shapes are grouped as finely as can be") {
  const auto groups = group_axes({2, 1, 3, 4, 5}, {2, 12, 1, 5});
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].before == std::vector<std::int32_t>{0});
  CHECK(groups[0].after == std::vector<std::int32_t>{0});
  CHECK(groups[1].before == std::vector<std::int32_t>{2, 3});
  CHECK(groups[1].after == std::vector<std::int32_t>{1});
  CHECK(groups[2].before == std::vector<std::int32_t>{4});
  CHECK(groups[2].after == std::vector<std::int32_t>{3});
  CHECK(group_axes({6, 4}, {4, 6}).size() == 1);
  CHECK(group_axes({1, 1}, {1}).empty());
}

TEST_CASE("a Reshape lets pass what keeps its groups whole") {
  Graph graph;
  const TensorId x = graph.add_input("x", figment::DataType::kFloat32, make_shape({2, 3, 4, 5}));
  const TensorId y = reshape(graph, x, {2, 3, 20});
  Node& node = graph.nodes[0];
  CHECK(relabel(graph, node, {0, 2, 3, 1}) == Permutation{0, 2, 1});
  CHECK(wanted_of_operands(graph, node, {0, 2, 1}) == Permutation{0, 2, 3, 1});
  // The pixels of one group would come in another order.
  CHECK_FALSE(relabel(graph, node, {0, 1, 3, 2}).has_value());
  CHECK_FALSE(relabel(graph, node, {0, 2, 1, 3}).has_value());
  CHECK(graph.tensor(y).shape == make_shape({2, 3, 20}));
}

TEST_CASE("an unknown operator has nothing to move") {
  Graph graph;
  const TensorId x = graph.add_input("x", figment::DataType::kFloat32, make_shape({2, 3, 3}));
  graph.add_node("product", make_options(format::MatMulT{}), {x, x});
  CHECK(moving_inputs(graph, graph.nodes[0]).empty());
  CHECK_FALSE(relabel(graph, graph.nodes[0], {0, 2, 1}).has_value());
}
