// The batch of models whose source says 1: followed from the inputs through the graph.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

// Samples run together give what each gives alone.
void check_samples(const converter::Graph& graph, const std::vector<float>& x) {
  REQUIRE(graph.any_batch);
  const std::size_t half = x.size() / 2;
  const GraphRun both = run_graph(graph, {x}, 2);
  const GraphRun first =
      run_graph(graph, {{x.begin(), x.begin() + static_cast<std::ptrdiff_t>(half)}});
  const GraphRun second =
      run_graph(graph, {{x.begin() + static_cast<std::ptrdiff_t>(half), x.end()}});
  std::vector<double> expected = first.values[0];
  expected.insert(expected.end(), second.values[0].begin(), second.values[0].end());
  CHECK(graph.tensor(graph.outputs[0].tensor).batch_axis == 0);
  CHECK(both.values[0] == expected);
}

}  // namespace

TEST_CASE("shapes with a 1 written into them take any batch") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 12}).integers("s", {4}, {1, 3, 2, 2}).integers("t", {2}, {1, 12});
  builder.node("Reshape", {"x", "s"}, {"h"})
      .node("Transpose", {"h"}, {"p"}, {attribute("perm", Extents{0, 2, 3, 1})});
  builder.node("Softmax", {"p"}, {"q"}, {attribute("axis", 3)})
      .node("Reshape", {"q", "t"}, {"y"})
      .output("y");
  check_samples(builder.import_with_batch(), ramp(24));
}

TEST_CASE("attention with the batch in the middle, as PyTorch writes it") {
  // [1,4,6] -> [4,1,6] -> [4,6] x [6,6] -> [4, 1*2, 3] -> [2,4,3] ... and back
  OnnxBuilder builder(13);
  builder.input("x", {1, 4, 6}).floats("w", {6, 6}, ramp(36, -1, 0.0625F));
  builder.integers("rows", {2}, {4, 6})
      .integers("heads", {3}, {4, 2, 3})
      .integers("back", {3}, {4, 1, 6});
  builder.node("Transpose", {"x"}, {"a"}, {attribute("perm", Extents{1, 0, 2})})
      .node("Reshape", {"a", "rows"}, {"b"});
  builder.node("MatMul", {"b", "w"}, {"c"}).node("Reshape", {"c", "heads"}, {"d"});
  builder.node("Transpose", {"d"}, {"e"}, {attribute("perm", Extents{1, 0, 2})});
  builder.node("Transpose", {"d"}, {"f"}, {attribute("perm", Extents{1, 2, 0})});
  builder.node("MatMul", {"e", "f"}, {"g"}).node("Softmax", {"g"}, {"h"}, {attribute("axis", -1)});
  builder.node("MatMul", {"h", "e"}, {"i"})
      .node("Transpose", {"i"}, {"j"}, {attribute("perm", Extents{1, 0, 2})});
  builder.node("Reshape", {"j", "back"}, {"k"})
      .node("Transpose", {"k"}, {"y"}, {attribute("perm", Extents{1, 0, 2})});
  check_samples(builder.output("y").import_with_batch(), ramp(48));
}

TEST_CASE("where axes of extent 1 are alike, a larger batch tells which is its own") {
  // The same x is a sequence of one step, [1,N,2], and the state before it, [1,N,2].
  OnnxBuilder builder(13);
  builder.input("x", {1, 2}).integers("zero", {1}, {0}).integers("one", {1}, {1});
  builder.floats("w", {1, 6, 2}, ramp(12)).floats("r", {1, 6, 2}, ramp(12, 1, -0.125F));
  builder.node("Unsqueeze", {"x", "one"}, {"s"})
      .node("Transpose", {"s"}, {"steps"}, {attribute("perm", Extents{1, 0, 2})})
      .node("Unsqueeze", {"x", "zero"}, {"h"});
  builder.node("GRU", {"steps", "w", "r", "", "", "h"}, {"all"}, {attribute("hidden_size", 2)})
      .node("Squeeze", {"all", "one"}, {"flat"})
      .node("Transpose", {"flat"}, {"y"}, {attribute("perm", Extents{1, 0, 2})});
  check_samples(builder.output("y").import_with_batch(), {0.5F, -1, 1, 0.25F});
}

TEST_CASE("constants beside a sample are there for each") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 2})
      .floats("c", {1, 1}, {7})
      .node("Concat", {"c", "x"}, {"y"}, {attribute("axis", 1)})
      .output("y");
  check_samples(builder.import_with_batch(), {1, 2, 3, 4});
}

TEST_CASE("an input that all samples share keeps its extent") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 2})
      .input("strength", {1})
      .node("Mul", {"x", "strength"}, {"y"})
      .output("y");
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.any_batch);
  CHECK(graph.tensor(graph.inputs[1].tensor).batch_axis == -1);
}

TEST_CASE("noise is each sample's own") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 2}).node("RandomNormal", {}, {"n"}, {attribute("shape", Extents{1, 2})});
  const converter::Graph graph =
      builder.node("Add", {"x", "n"}, {"y"}).output("y").import_with_batch();
  CHECK(graph.any_batch);
  CHECK(graph.tensor(graph.nodes[0].output).batch_axis == 0);
}

TEST_CASE("operators that would mix samples fix the batch") {
  const auto any_batch = [](const Extents& x, const std::string& kind,
                            const std::vector<onnx::TensorProto>& constants,
                            const std::vector<onnx::AttributeProto>& attributes) {
    OnnxBuilder builder(13);
    builder.input("x", x);
    std::vector<std::string> inputs = {"x"};
    for (const auto& constant : constants) {
      *builder.model().mutable_graph()->add_initializer() = constant;
      inputs.push_back(constant.name());
    }
    return builder.node(kind, inputs, {"y"}, attributes).output("y").import_with_batch().any_batch;
  };
  CHECK(any_batch({1, 4}, "Relu", {}, {}));
  CHECK_FALSE(any_batch({2, 4}, "Relu", {}, {}));
  CHECK_FALSE(any_batch({1, 4}, "ReduceMean", {}, {}));
  CHECK_FALSE(any_batch({1, 4}, "ReduceMean", {}, {attribute("axes", Extents{0})}));
  CHECK(any_batch({1, 4}, "ReduceMean", {}, {attribute("axes", Extents{1})}));
  CHECK_FALSE(
      any_batch({1, 4}, "Concat", {float_tensor("c", {1, 4}, ramp(4))}, {attribute("axis", 0)}));
  CHECK_FALSE(any_batch({1, 4}, "Pad", {integer_tensor("p", {4}, {1, 0, 0, 0})}, {}));
  CHECK_FALSE(any_batch({1, 4}, "Tile", {integer_tensor("r", {2}, {2, 1})}, {}));
  CHECK_FALSE(any_batch({1, 4}, "Softmax", {}, {attribute("axis", 0)}));
}

TEST_CASE("operators along an axis keep samples apart, unless it is theirs") {
  const auto build = [](OnnxBuilder& builder, const std::string& kind, int axis) {
    builder.input("x", {1, 3}).integers("axis", {}, {axis}).integers("i", {1, 3}, {0, 0, 0});
    if (kind == "CumSum")
      builder.node(kind, {"x", "axis"}, {"y"});
    else if (kind == "GatherElements")
      builder.node(kind, {"x", "i"}, {"y"}, {attribute("axis", axis)});
    else
      builder.node(kind, {"x"}, {"y"}, {attribute("axis", axis)});
    return builder.output("y").import_with_batch();
  };
  for (const char* kind : {"LogSoftmax", "ArgMax", "CumSum", "GatherElements"}) {
    CAPTURE(kind);
    OnnxBuilder across(13);
    CHECK_FALSE(build(across, kind, 0).any_batch);
    OnnxBuilder along(13);
    const converter::Graph graph = build(along, kind, 1);
    if (std::string(kind) != "GatherElements") check_samples(graph, {3, 1, 2, 5, 6, 4});
  }
}

}  // namespace figment::testing
