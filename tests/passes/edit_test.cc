// The tools of the passes.
#include "converter/passes/edit.h"

#include <doctest/doctest.h>

#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;

TEST_CASE("links know writers, readers and what the model shows") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3});
  const TensorId square = binary(graph, x, x, BinaryFunction::Mul);
  const TensorId y = unary(graph, square, format::UnaryFunction::Tanh);
  add_output(graph, y);
  const Links links = link(graph);
  CHECK(links.producer[x] == -1);
  CHECK(links.producer[y] == 1);
  CHECK(links.readers[x] == std::vector<int>{0, 0});
  CHECK_FALSE(links.has_one_reader(x));
  CHECK(links.has_one_reader(square));
  CHECK_FALSE(links.has_one_reader(y));
  CHECK(links.is_output[y]);
  CHECK(is_graph_input(graph, x));
  CHECK_FALSE(is_graph_input(graph, y));
  CHECK(written_by<format::UnaryT>(graph, links, y) == &graph.nodes[1]);
  CHECK(written_by<format::BinaryT>(graph, links, y) == nullptr);
  CHECK(written_by<format::UnaryT>(graph, links, kAbsent) == nullptr);
  // An operator with an activation is more than its kind says.
  graph.nodes[1].activation = format::UnaryT{};
  CHECK(written_by<format::UnaryT>(graph, links, y) == nullptr);
}

TEST_CASE("nodes are put before others, constants nowhere") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3});
  add_output(graph, unary(graph, x, format::UnaryFunction::Tanh));
  std::size_t position = 0;
  const auto exp = make_options(format::UnaryT{{}, format::UnaryFunction::Exp, 0.0f, 0.0f});
  const TensorId before = add_before(graph, position, "before", exp, {x});
  CHECK(position == 1);
  CHECK(graph.nodes[0].output == before);
  CHECK(graph.tensor(before).batch_axis == 0);
  const TensorId constant = add_before(graph, position, "folded", exp, {add_number(graph, 0.0f)});
  CHECK(position == 1);
  CHECK(graph.nodes.size() == 2);
  CHECK(scalar_value(graph, constant) == 1.0f);
}

TEST_CASE("readers and ports are redirected") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3});
  const TensorId y = unary(graph, x, format::UnaryFunction::Tanh);
  const TensorId z = unary(graph, y, format::UnaryFunction::Exp);
  add_output(graph, y);
  redirect(graph, y, z);
  CHECK(graph.outputs[0].tensor == z);
  CHECK(graph.nodes[1].inputs[0] == z);
}

TEST_CASE("values per channel are what broadcasts along all other axes") {
  Graph graph;
  const figment::Shape whole = make_shape({2, 3, 4});
  const auto values = [&](const std::vector<std::int64_t>& shape) {
    return channel_values(graph, add_some(graph, shape, 1), whole);
  };
  CHECK(values({4}) == some_floats(4, 1));
  CHECK(values({1, 1, 4}) == some_floats(4, 1));
  CHECK(values({1}) == std::vector<float>(4, some_floats(1, 1)[0]));
  CHECK(values({}) == std::vector<float>(4, some_floats(1, 1)[0]));
  CHECK_FALSE(values({4, 1}).has_value());
  CHECK_FALSE(values({3, 4}).has_value());
  CHECK_FALSE(values({1, 1, 1, 4}).has_value());
  CHECK_FALSE(channel_values(graph, graph.add_integers("i", make_shape({4}), {1, 2, 3, 4}), whole)
                  .has_value());
}

TEST_CASE("the batch axis stands out among extents of 1") {
  GraphTensor tensor;
  tensor.shape = make_shape({1, 1, 5});
  CHECK(symbolic_extents(tensor) == std::vector<std::int64_t>{1, 1, 5});
  tensor.batch_axis = 1;
  CHECK(symbolic_extents(tensor)[0] == 1);
  CHECK(symbolic_extents(tensor)[1] > 1000000);
}

TEST_CASE("counts with their noun") {
  CHECK(counted(1, "operator") == "1 operator");
  CHECK(counted(0, "operator") == "0 operators");
}
