// Lists of tensors, as exporters write torch.split, torch.chunk and torch.stack.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

const std::vector<float> kX = ramp(10, 0, 1);  // [2,5]

// Takes part `position` of x [2,5] split along axis 1.
OnnxBuilder& taken(OnnxBuilder& builder, const std::vector<std::string>& operands,
                   std::int64_t position, const std::vector<onnx::AttributeProto>& attributes) {
  builder.input("x", {2, 5}).integers("at", {}, {position});
  std::vector<std::string> inputs{"x"};
  inputs.insert(inputs.end(), operands.begin(), operands.end());
  builder.node("SplitToSequence", inputs, {"parts"}, attributes);
  return builder.node("SequenceAt", {"parts", "at"}, {"y"}).output("y");
}

}  // namespace

TEST_CASE("parts of one size, of sizes given, and of one element") {
  const std::vector<onnx::AttributeProto> across = {attribute("axis", 1)};
  {
    OnnxBuilder builder(18);
    builder.integers("size", {}, {2});
    check_values(taken(builder, {"size"}, 1, across), {kX}, {2, 2}, {2, 3, 7, 8});
  }
  {
    OnnxBuilder builder(18);
    builder.integers("size", {}, {2});
    check_values(taken(builder, {"size"}, -1, across), {kX}, {2, 1}, {4, 9});
  }
  {
    OnnxBuilder builder(18);
    builder.integers("sizes", {2}, {1, 4});
    check_values(taken(builder, {"sizes"}, 0, across), {kX}, {2, 1}, {0, 5});
  }
  {
    OnnxBuilder builder(18);
    check_values(taken(builder, {}, 3, {attribute("axis", 1), attribute("keepdims", 0)}), {kX}, {2},
                 {3, 8});
  }
}

TEST_CASE("lists are built, lengthened, counted and joined") {
  OnnxBuilder builder(18);
  builder.input("a", {1, 2}).input("b", {1, 2}).integers("zero", {}, {0});
  builder.node("SequenceConstruct", {"a"}, {"one"})
      .node("SequenceInsert", {"one", "b", "zero"}, {"two"})
      .node("SequenceInsert", {"two", "a"}, {"three"})
      .node("ConcatFromSequence", {"three"}, {"y"}, {attribute("axis", 1)})
      .node("ConcatFromSequence", {"three"}, {"stacked"},
            {attribute("axis", 0), attribute("new_axis", 1)})
      .node("SequenceLength", {"three"}, {"count"});
  builder.output("y").output("stacked").output("count");
  const converter::Graph graph = builder.import();
  CHECK(graph.tensor(graph.outputs[2].tensor).integers()[0] == 3);
  converter::Graph data = graph;
  data.outputs.pop_back();
  const GraphRun run = run_graph(data, {{1, 2}, {3, 4}});
  CHECK(describe(run.shapes[0]) == "1x6");
  CHECK(run.values[0] == std::vector<double>{3, 4, 1, 2, 1, 2});
  CHECK(describe(run.shapes[1]) == "3x1x2");
  CHECK(run.values[1] == run.values[0]);
}

TEST_CASE("what is refused") {
  const auto refusal_of = [](const char* kind, const std::vector<std::string>& inputs) {
    OnnxBuilder builder(18);
    builder.input("x", {2, 5}).integers("far", {}, {5}).integers("sizes", {2}, {1, 3});
    builder.node("SequenceConstruct", {"x"}, {"list"}).node(kind, inputs, {"y"});
    return builder.output("y").refusal();
  };
  CHECK(refusal_of("SequenceAt", {"list", "far"}).find("outside a sequence of 1") !=
        std::string::npos);
  CHECK(refusal_of("Relu", {"list"}).find("is a sequence of tensors") != std::string::npos);
  CHECK(refusal_of("SequenceAt", {"x", "far"}).find("must be a sequence") != std::string::npos);
  CHECK(refusal_of("SequenceInsert", {"list", "x"}).find("output 'y' is a sequence") !=
        std::string::npos);
  CHECK(refusal_of("SplitToSequence", {"x", "sizes"}).find("do not fit") != std::string::npos);
}

}  // namespace figment::testing
