// Shapes, types and constant values by the runtime's own rules.
#include <doctest/doctest.h>

#include "converter/graph/graph.h"

namespace figment::converter {
namespace {

format::OperatorOptionsUnion binary(format::BinaryFunction function) {
  format::BinaryT options;
  options.function = function;
  return make_options(options);
}

// An input [1,2,3] whose axis 0 is the batch.
TensorId add_batched(Graph& graph) {
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2, 3}));
  graph.any_batch = true;
  graph.tensor(x).batch_axis = 0;
  return x;
}

}  // namespace

TEST_CASE("a node's output is what the runtime's rule says") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2, 3}));
  format::TransposeT turn;
  turn.permutation = {0, 2, 1};
  const TensorId y = graph.add_node("turn", make_options(turn), {x});
  CHECK(describe(graph.tensor(y).shape) == "1x3x2");
  CHECK(graph.tensor(y).batch_axis == -1);
  format::CastT cast;
  cast.to = format::DataType::Int32;
  CHECK(graph.tensor(graph.add_node("cast", make_options(cast), {y})).type == DataType::kInt32);
}

TEST_CASE("what the rule refuses is refused with the node's name, and leaves nothing behind") {
  Graph graph;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 2}));
  const TensorId c = graph.add_floats("c", make_shape({3}), {1, 2, 3});
  const std::size_t tensors = graph.tensors.size();
  for (int declared = 0; declared < 2; ++declared) {
    std::string sentence;
    try {
      if (declared == 1)
        graph.add_node("bad", make_options(format::ReshapeT{}), {x}, make_shape({5}));
      if (declared == 0) graph.add_node("bad", binary(format::BinaryFunction::Add), {x, c});
    } catch (const ConvertError& error) {
      sentence = error.what();
    }
    CHECK(sentence.find(declared == 1 ? "node 'bad' (Reshape): " : "node 'bad' (Binary): ") == 0);
  }
  CHECK(graph.tensors.size() == tensors);
  CHECK(graph.nodes.empty());
}

TEST_CASE("nodes of constants are computed at once") {
  Graph graph;
  const TensorId a = graph.add_floats("a", make_shape({2, 1}), {1, 2});
  const TensorId b = graph.add_floats("b", make_shape({2}), {10, 20});
  const TensorId sum = graph.add_node("sum", binary(format::BinaryFunction::Add), {a, b});
  const TensorId flat =
      graph.add_node("flat", make_options(format::ReshapeT{}), {sum}, make_shape({4}));
  CHECK(graph.nodes.empty());
  REQUIRE(graph.tensor(flat).constant());
  const float* values = graph.tensor(flat).floats();
  CHECK(std::vector<float>(values, values + 4) == std::vector<float>{11, 21, 12, 22});
}

TEST_CASE("noise is no constant") {
  Graph graph;
  const TensorId noise =
      graph.add_node("noise", make_options(format::RandomNormalT{}), {}, make_shape({1, 4}));
  CHECK_FALSE(graph.tensor(noise).constant());
  CHECK(graph.nodes.size() == 1);
}

TEST_CASE("a constant too large to hold is refused") {
  Graph graph;
  const TensorId a = graph.add_floats("a", make_shape({1}), {1});
  CHECK_THROWS_AS(graph.add_node("huge", make_options(format::TileT{}), {a}, make_shape({1 << 30})),
                  ConvertError);
}

TEST_CASE("constants that are made of constants are bounded by those that were added") {
  Graph graph;
  const TensorId few = graph.add_floats("few", make_shape({1}), {1});
  const auto repeat = [&] {
    graph.add_node("repeat", make_options(format::TileT{}), {few}, make_shape({1 << 20}));
  };
  for (int index = 0; index < 4; ++index) repeat();  // 16 MB, which are free
  CHECK_THROWS_AS(repeat(), ConvertError);
  graph.add_floats("many", make_shape({1 << 20}), std::vector<float>(1 << 20));
  repeat();
}

TEST_CASE("larger constants of a file that is imported are late") {
  Graph graph;
  int reads = 0;
  const TensorId x = graph.add_input("x", DataType::kFloat32, make_shape({1, 600}));
  const TensorId w = graph.add_late_floats("w", make_shape({600}), [&] {
    ++reads;
    return std::vector<float>(600, 2);
  });
  const TensorId three =
      graph.add_late_floats("three", make_shape({1}), [] { return std::vector<float>(1, 3); });
  CHECK_FALSE(graph.tensor(three).late);
  const TensorId six = graph.add_node("six", binary(format::BinaryFunction::Mul), {w, three});
  const TensorId nine = graph.add_node("nine", binary(format::BinaryFunction::Add), {six, three});
  const TensorId unused = graph.add_node("no", binary(format::BinaryFunction::Add), {nine, three});
  CHECK(graph.tensor(unused).constant());
  graph.outputs.push_back(
      {"y", graph.add_node("y", binary(format::BinaryFunction::Add), {x, nine}), {}});
  CHECK(reads == 0);

  SUBCASE("until the graph is swept") {}
  SUBCASE("or until they are asked for") {
    graph.compute(six);
    CHECK(graph.tensor(six).floats()[599] == 6);
    CHECK(graph.tensor(nine).late);
  }
  SUBCASE("which may not be too many") {
    graph.freely_made = 3000;
    graph.compute(six);
    CHECK_THROWS_AS(graph.compute(nine), ConvertError);
    CHECK_NOTHROW(graph.compute(w));
  }
  sweep(graph);
  CHECK(reads == 1);
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.tensors.size() == 3);
  const GraphTensor& left = graph.tensor(graph.nodes[0].inputs[1]);
  CHECK(left.name == "nine");
  CHECK(left.floats()[599] == 9);
}

TEST_CASE("the batch axis goes with the tensors") {
  Graph graph;
  const TensorId x = add_batched(graph);
  format::TransposeT turn;
  turn.permutation = {1, 0, 2};
  const TensorId turned = graph.add_node("turn", make_options(turn), {x});
  CHECK(graph.tensor(turned).batch_axis == 1);
  const TensorId flat =
      graph.add_node("flat", make_options(format::ReshapeT{}), {x}, make_shape({1, 6}));
  CHECK(graph.tensor(flat).batch_axis == 0);
  const TensorId split =
      graph.add_node("split", make_options(format::ReshapeT{}), {turned}, make_shape({2, 3, 1}));
  CHECK(graph.tensor(split).batch_axis == 1);
  CHECK(describe(infer(graph, graph.nodes[1], 5).shape) == "5x6");
  CHECK(holds_at_batch(graph, 1));
  CHECK(holds_at_batch(graph, 3));
  graph.tensor(flat).batch_axis = 1;
  CHECK(holds_at_batch(graph, 3));  // as good, to the rule
  graph.tensor(flat).batch_axis = -1;
  CHECK(holds_at_batch(graph, 1));
  CHECK_FALSE(holds_at_batch(graph, 3));
}

TEST_CASE("a constant picture without pixels is not resized") {
  for (const std::vector<std::int64_t>& extents :
       {std::vector<std::int64_t>{1, 0, 2, 1}, std::vector<std::int64_t>{1, 2, 0, 1}}) {
    Graph graph;
    const TensorId x = graph.add_floats("x", make_shape(extents), {});
    format::ResizeT resize;
    resize.height = resize.width = 4;
    CHECK_THROWS_AS(graph.add_node("larger", make_options(resize), {x}), ConvertError);
  }
}

TEST_CASE("attention needs keys to look at") {
  Graph graph;
  const TensorId query = graph.add_floats("query", make_shape({1, 1, 2}), {1, 2});
  const TensorId none = graph.add_floats("none", make_shape({1, 0, 2}), {});
  CHECK_THROWS_AS(graph.add_node("look", make_options(format::AttentionT{}), {query, none, none}),
                  ConvertError);
}

TEST_CASE("a wrong declaration does not hold") {
  Graph graph;
  const TensorId x = add_batched(graph);
  const TensorId y = graph.add_node("sum", binary(format::BinaryFunction::Add), {x, x});
  CHECK(holds_at_batch(graph, 1));
  graph.tensor(y).shape = make_shape({1, 2, 4});
  CHECK_FALSE(holds_at_batch(graph, 1));
}

}  // namespace figment::converter
