// The walk over a model: order, names, functions, and what is refused by name.
#include <doctest/doctest.h>
#include <google/protobuf/unknown_field_set.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

void says(const std::string& sentence, const std::string& words) {
  CAPTURE(sentence);
  CAPTURE(words);
  CHECK(sentence.find(words) != std::string::npos);
}

OnnxBuilder& start(OnnxBuilder& builder) {
  return builder.input("x", {1, 2}).floats("c", {2}, {1, 2});
}

}  // namespace

TEST_CASE("inputs and outputs keep their names and order") {
  OnnxBuilder builder(13);
  builder.input("second", {1, 2}).input("first", {1, 2});
  builder.node("Sub", {"first", "second"}, {"d"}).node("Neg", {"d"}, {"n"}).output("n").output("d");
  const converter::Graph graph = builder.import();
  REQUIRE(graph.inputs.size() == 2);
  CHECK(graph.inputs[0].name == "second");
  REQUIRE(graph.outputs.size() == 2);
  CHECK(graph.outputs[0].name == "n");
  CHECK(graph.tensor(graph.outputs[1].tensor).name == "d");
  CHECK(run_graph(graph, {{1, 2}, {5, 7}}).values ==
        std::vector<std::vector<double>>{{-4, -5}, {4, 5}});
}

TEST_CASE("outputs that are inputs, or one another, become tensors of their own") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 2})
      .node("Identity", {"x"}, {"a"})
      .node("Relu", {"x"}, {"b"})
      .node("Identity", {"b"}, {"c"});
  builder.output("a").output("b").output("c");
  const converter::Graph graph = builder.import();
  CHECK(graph.outputs[0].tensor != graph.inputs[0].tensor);
  CHECK(graph.outputs[1].tensor != graph.outputs[2].tensor);
  CHECK(run_graph(graph, {{-1, 2}}).values ==
        std::vector<std::vector<double>>{{-1, 2}, {0, 2}, {0, 2}});
}

TEST_CASE("a node without a name is named by its output") {
  OnnxBuilder builder(13);
  start(builder).node("Frobnicate", {"x"}, {"rounded"}).output("rounded");
  builder.model().mutable_graph()->mutable_node(0)->clear_name();
  says(builder.refusal(), "node 'rounded' (Frobnicate): ");
}

TEST_CASE("unknown operators and domains are refused by name") {
  OnnxBuilder unknown(13);
  says(start(unknown).node("Frobnicate", {"x"}, {"y"}).output("y").refusal(),
       "node 'the_Frobnicate' (Frobnicate): this operator is not supported");
  OnnxBuilder foreign(13);
  start(foreign).node("Gelu", {"x"}, {"y"}).output("y");
  foreign.model().mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
  says(foreign.refusal(), "operators of the domain 'com.microsoft' are not supported");
  OnnxBuilder loop(13);
  says(start(loop).node("Loop", {"x"}, {"y"}).output("y").refusal(),
       "node 'the_Loop' (Loop): loops are not supported");
}

TEST_CASE("nodes out of order, cyclic, dangling or twice are refused") {
  OnnxBuilder disordered(13);
  start(disordered).node("Relu", {"h"}, {"y"}).node("Neg", {"x"}, {"h"}).output("y");
  says(disordered.refusal(),
       "node 'the_Relu' (Relu): its input 'h' is made by itself or by a later node");
  OnnxBuilder cyclic(13);
  start(cyclic).node("Add", {"x", "y"}, {"y"}).output("y");
  says(cyclic.refusal(), "its input 'y' is made by itself");
  OnnxBuilder dangling(13);
  start(dangling).node("Add", {"x", "nothing"}, {"y"}).output("y");
  says(dangling.refusal(), "node 'the_Add' (Add): its input 'nothing' is not made by any node");
  OnnxBuilder twice(13);
  start(twice).node("Relu", {"x"}, {"y"}).node("Neg", {"x"}, {"y"}).output("y");
  says(twice.refusal(), "node 'the_Neg' (Neg): its output 'y' was made before");
  OnnxBuilder over_input(13);
  start(over_input).node("Relu", {"c"}, {"x"}).output("x");
  says(over_input.refusal(), "its output 'x' was made before");
  OnnxBuilder absent(13);
  start(absent).node("Add", {"x"}, {"y"}).output("y");
  says(absent.refusal(), "node 'the_Add' (Add): it lacks input 1");
  OnnxBuilder constants(13);
  start(constants).floats("c", {2}, {3, 4}).node("Add", {"x", "c"}, {"y"}).output("y");
  says(constants.refusal(), "two initializers are named 'c'");
}

TEST_CASE("outputs that nobody makes") {
  OnnxBuilder missing(13);
  says(start(missing).node("Relu", {"x"}, {"y"}).output("z").refusal(),
       "the output 'z' is not made by any node");
  OnnxBuilder none(13);
  says(start(none).node("Relu", {"x"}, {"y"}).refusal(), "the model has no outputs");
}

TEST_CASE("opsets outside 1 to 21") {
  for (const int opset : {1, 6, 21}) {
    OnnxBuilder builder(opset);
    CHECK(start(builder).node("Relu", {"x"}, {"y"}).output("y").refusal().empty());
  }
  for (const int opset : {-1, 22, 1000}) {
    OnnxBuilder builder(opset);
    says(start(builder).node("Relu", {"x"}, {"y"}).output("y").refusal(),
         "opset " + std::to_string(opset));
  }
  OnnxBuilder builder(13);
  builder.model().clear_opset_import();
  says(start(builder).node("Relu", {"x"}, {"y"}).output("y").refusal(), "names no ONNX opset");
  OnnxBuilder zero(0);
  says(start(zero).node("Relu", {"x"}, {"y"}).output("y").refusal(), "names no ONNX opset");
}

TEST_CASE("a model of another domain alone is refused by that name") {
  OnnxBuilder builder(1);
  start(builder).node("Adam", {"x"}, {"y"}).output("y");
  builder.model().mutable_opset_import(0)->set_domain("ai.onnx.preview.training");
  builder.model().mutable_graph()->mutable_node(0)->set_domain("ai.onnx.preview.training");
  says(builder.refusal(), "operators of the domain 'ai.onnx.preview.training' are not supported");
  builder.model().mutable_graph()->mutable_node(0)->set_domain("ai.onnx");
  says(builder.refusal(), "does not say which ONNX opset it uses");
}

TEST_CASE("an input of integers that is an output too") {
  OnnxBuilder builder(13);
  builder.input("x", {1, 2}, onnx::TensorProto::INT64).node("Identity", {"x"}, {"y"}).output("y");
  CHECK(run_graph(builder.import(), {{-3, 2}}).values == std::vector<std::vector<double>>{{-3, 2}});
}

TEST_CASE("attributes of opset 6 that later ones dropped are refused by name") {
  OnnxBuilder builder(6);
  start(builder)
      .node("Add", {"x", "c"}, {"y"}, {attribute("broadcast", 1), attribute("axis", 1)})
      .output("y");
  says(builder.refusal(), "node 'the_Add' (Add): its attribute 'broadcast' is not supported");
  check_node_refused(6, "Gemm", {1, 2},
                     {float_tensor("w", {2, 2}, {1, 2, 3, 4}), float_tensor("b", {2}, {1, 2})},
                     {attribute("broadcast", 1)}, "attribute 'broadcast' is not supported");
}

TEST_CASE("before opset 7 a batch normalization says that it is not in training") {
  const std::vector<onnx::TensorProto> constants = {
      float_tensor("scale", {1}, {2}), float_tensor("bias", {1}, {1}),
      float_tensor("mean", {1}, {3}), float_tensor("variance", {1}, {4})};
  check_node(6, "BatchNormalization", {1, 1, 2}, {3, 5}, constants,
             {attribute("is_test", 1), attribute("epsilon", 0.0F)}, {1, 1, 2}, {1, 3});
  check_node_refused(6, "BatchNormalization", {1, 1, 2}, constants, {}, "in training mode");
  check_node_refused(7, "BatchNormalization", {1, 1, 2}, constants, {attribute("is_test", 1)},
                     "attribute 'is_test' is not supported");
}

TEST_CASE("functions of the model are written out, with their attributes") {
  OnnxBuilder builder(18);
  builder.input("x", {1, 2}).node("LeakyDouble", {"x"}, {"h"}, {attribute("slope", 0.5F)});
  builder.node("LeakyDouble", {"h"}, {"y"}).output("y");
  for (int index = 0; index < 2; ++index)
    builder.model().mutable_graph()->mutable_node(index)->set_domain("local");
  onnx::FunctionProto& function = *builder.model().add_functions();
  function.set_name("LeakyDouble");
  function.set_domain("local");
  function.add_input("in");
  function.add_output("out");
  function.add_attribute("slope");
  function.add_opset_import()->set_version(18);
  onnx::AttributeProto slope;
  slope.set_name("alpha");
  slope.set_type(onnx::AttributeProto::FLOAT);
  slope.set_ref_attr_name("slope");
  *function.add_node() =
      make_onnx_node("LeakyRelu", {"in"}, {"x"}, {slope});  // a name that the caller has too
  *function.add_node() = make_onnx_node("Add", {"x", "x"}, {"out"});
  check_values(builder, {{-4, 3}}, {1, 2}, {-0.08, 12});  // -4 * 0.5 * 2 * 0.01 * 2

  // A default value.
  onnx::AttributeProto otherwise = attribute("slope", 0.25F);
  *function.add_attribute_proto() = otherwise;
  check_values(builder, {{-4, 3}}, {1, 2}, {-2, 12});

  *function.mutable_node(1) = make_onnx_node("LeakyDouble", {"x"}, {"out"});
  function.mutable_node(1)->set_domain("local");
  says(builder.refusal(), "nests functions or branches more than");
}

TEST_CASE("quantized operators are refused by name") {
  OnnxBuilder builder(13);
  says(start(builder).node("QLinearConv", {"x"}, {"y"}).output("y").refusal(),
       "quantized operators are not supported");
}

}  // namespace figment::testing
