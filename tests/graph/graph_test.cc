// The converter's graph: tensors, nodes, and what needs no knowledge of any operator.
#include "converter/graph/graph.h"

#include <doctest/doctest.h>

namespace figment::converter {
namespace {

format::OperatorOptionsUnion unary(format::UnaryFunction function) {
  format::UnaryT options;
  options.function = function;
  return make_options(options);
}

}  // namespace

TEST_CASE("shapes") {
  CHECK(describe(make_shape({1, 3, 64})) == "1x3x64");
  CHECK(describe(make_shape({})) == "scalar");
  CHECK_THROWS_AS(make_shape(std::vector<std::int64_t>(9, 1)), ConvertError);
  CHECK_THROWS_AS(make_shape({-1}), ConvertError);
  CHECK_THROWS_AS(make_shape({std::int64_t{1} << 31}), ConvertError);
}

TEST_CASE("constants must fill their shapes") {
  Graph graph;
  const TensorId id = graph.add_floats("c", make_shape({3}), {1, 2, 3});
  CHECK(graph.tensor(id).constant());
  CHECK(graph.tensor(id).floats()[2] == 3);
  CHECK(graph.tensor(graph.add_integers("i", make_shape({2}), {4, 5})).integers()[1] == 5);
  CHECK_THROWS_WITH_AS(graph.add_floats("short", make_shape({3}), {1, 2}),
                       "constant 'short' of shape 3 comes with 8 bytes, which do not fill it",
                       ConvertError);
}

TEST_CASE("readers are counted, outputs among them") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2}));
  const TensorId y = graph.add_node("n", make_options(format::BinaryT{}), {x, x});
  graph.outputs.push_back({"y", y, {}});
  CHECK(count_readers(graph) == std::vector<int>{2, 1});
}

TEST_CASE("a sweep keeps what outputs need, and all inputs") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2}));
  const TensorId unused = graph.add_input("unused", DataType::kFloat32, make_shape({1}));
  graph.add_floats("nobody's", make_shape({1}), {1});
  graph.add_node("dead", unary(format::UnaryFunction::Exp), {x});
  const TensorId y = graph.add_node("alive", unary(format::UnaryFunction::Relu), {x});
  graph.outputs.push_back({"y", y, {}});
  sweep(graph);
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].name == "alive");
  REQUIRE(graph.tensors.size() == 3);
  CHECK(graph.inputs[1].tensor == unused);
  CHECK(graph.outputs[0].tensor == graph.nodes[0].output);
  CHECK(graph.tensor(graph.nodes[0].inputs[0]).name == "x");
}

TEST_CASE("a graph is printed one line a node") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2}));
  const TensorId y = graph.add_node("act", unary(format::UnaryFunction::Relu), {x});
  graph.nodes[0].activation = format::UnaryT{};
  graph.outputs.push_back({"y", y, {}});
  CHECK(print(graph) ==
        "input x %0:1x2\n"
        "%1:1x2 = Unary.Relu(%0:1x2) then Identity  'act'\n"
        "output y %1:1x2\n");
}

}  // namespace figment::converter
