// Values out of nothing: constants, shapes, ranges, noise.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

// x [1,2] + Constant(attribute)
void check_constant(const onnx::AttributeProto& value, const std::vector<double>& expected) {
  OnnxBuilder builder(13);
  builder.input("x", {1, 2}).node("Constant", {}, {"c"}, {value});
  builder.node("Cast", {"c"}, {"n"}, {attribute("to", onnx::TensorProto::FLOAT)});
  check_values(builder.node("Add", {"x", "n"}, {"y"}).output("y"), {{0, 0}}, {1, 2}, expected);
}

}  // namespace

TEST_CASE("Constant in all its forms") {
  check_constant(attribute("value", float_tensor("", {2}, {1, 2})), {1, 2});
  check_constant(attribute("value", integer_tensor("", {2}, {1, 2})), {1, 2});
  check_constant(attribute("value_float", 1.5F), {1.5, 1.5});
  check_constant(attribute("value_int", 3), {3, 3});
  check_constant(numbers_attribute("value_floats", {1.5F, 2.5F}), {1.5, 2.5});
  check_constant(attribute("value_ints", Extents{4, 5}), {4, 5});
  OnnxBuilder builder(13);
  builder.input("x", {1, 2}).node("Constant", {}, {"c"}, {attribute("value_string", "text")});
  CHECK(builder.node("Add", {"x", "c"}, {"y"}).output("y").refusal().find("it holds no numbers") !=
        std::string::npos);
}

TEST_CASE("ConstantOfShape, Shape, Size and Range") {
  OnnxBuilder builder(15);
  builder.input("x", {1, 2, 3});
  builder.node("Shape", {"x"}, {"tail"}, {attribute("start", -2)});
  builder.node("ConstantOfShape", {"tail"}, {"sevens"},
               {attribute("value", float_tensor("", {1}, {7}))});
  builder.node("Add", {"x", "sevens"}, {"y"}).output("y");
  check_values(builder, {{0, 1, 2, 3, 4, 5}}, {1, 2, 3}, {7, 8, 9, 10, 11, 12});

  OnnxBuilder ranges(13);
  ranges.input("x", {1, 4}).integers("zero", {}, {0}).integers("one", {}, {1});
  ranges.node("Size", {"x"}, {"n"}).node("Range", {"zero", "n", "one"}, {"r"});
  ranges.node("Cast", {"r"}, {"f"}, {attribute("to", onnx::TensorProto::FLOAT)})
      .node("Add", {"x", "f"}, {"y"})
      .output("y");
  check_values(ranges, {{10, 10, 10, 10}}, {1, 4}, {10, 11, 12, 13});

  OnnxBuilder huge(13);
  huge.input("x", {1}).integers("s", {2}, {1 << 20, 1 << 10});
  huge.node("ConstantOfShape", {"s"}, {"c"}).node("Add", {"x", "c"}, {"y"}).output("y");
  CHECK(huge.refusal().find("too many numbers") != std::string::npos);

  // One of 4 MB is sound, a hundred are not.
  OnnxBuilder many(13);
  many.input("x", {1, 1}).integers("s", {2}, {1 << 10, 1 << 10});
  std::string sum = "x";
  for (int index = 0; index < 100; ++index) {
    const std::string number = std::to_string(index);
    many.node("ConstantOfShape", {"s"}, {"c" + number});
    many.node("Add", {sum, "c" + number}, {"y" + number});
    sum = "y" + number;
  }
  many.output(sum);
  CHECK(many.refusal().find("too many numbers") != std::string::npos);

  OnnxBuilder endless(13);
  endless.input("x", {1}).floats("a", {}, {0}).floats("b", {}, {1}).floats("step", {}, {0});
  endless.node("Range", {"a", "b", "step"}, {"r"}).node("Add", {"x", "r"}, {"y"}).output("y");
  CHECK(endless.refusal().find("no sensible range") != std::string::npos);
}

TEST_CASE("a Shape of opset 15 keeps within its bounds") {
  OnnxBuilder builder(15);
  builder.input("x", {1, 2, 3})
      .node("Shape", {"x"}, {"s"}, {attribute("start", 1), attribute("end", 100)});
  builder.node("ConstantOfShape", {"s"}, {"c"}).node("Add", {"x", "c"}, {"y"}).output("y");
  check_values(builder, {ramp(6)}, {1, 2, 3}, {-1, -0.875, -0.75, -0.625, -0.5, -0.375});
}

TEST_CASE("noise is an operator with a seed, or an input") {
  const auto build = [](OnnxBuilder& builder) {
    builder.input("x", {-1, 4});
    builder.node("RandomNormalLike", {"x"}, {"noise"},
                 {attribute("mean", 2.0F), attribute("scale", 3.0F)});
    builder.node("RandomNormalLike", {"x"}, {"more"}, {attribute("seed", 5.0F)});
    builder.node("Add", {"x", "noise"}, {"z"}).node("Add", {"z", "more"}, {"y"}).output("y");
  };
  OnnxBuilder builder(13);
  build(builder);
  const converter::Graph graph = builder.import_with_batch();
  REQUIRE(graph.nodes.size() == 4);
  CHECK(graph.any_batch);
  const auto& first = graph.nodes[0].as<format::RandomNormalT>();
  const auto& second = graph.nodes[1].as<format::RandomNormalT>();
  CHECK(first.mean == 2.0F);
  CHECK(first.scale == 3.0F);
  CHECK(first.seed != second.seed);
  CHECK(graph.tensor(graph.nodes[0].output).batch_axis == 0);
  CHECK(graph.inputs.size() == 1);

  converter::ImportOptions as_input;
  as_input.noise = converter::NoiseHandling::kInput;
  const converter::Graph open = builder.import_with_batch(as_input);
  REQUIRE(open.inputs.size() == 3);
  CHECK(open.inputs[1].name == "noise");
  CHECK(open.tensor(open.inputs[1].tensor).batch_axis == 0);
  const GraphRun run = run_graph(open, {{0, 0, 0, 0}, {1, 2, 3, 4}, {10, 10, 10, 10}});
  CHECK(run.values[0] == std::vector<double>{15, 18, 21, 24});
  check_node_refused(13, "RandomUniformLike", {1, 2}, {}, {}, "make it an input");
}

}  // namespace figment::testing
