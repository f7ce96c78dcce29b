// A model's inputs: which extents are open, and how they are fixed.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"

namespace figment::testing {
namespace {

converter::ImportOptions with_shape(const std::string& name, const Extents& shape) {
  converter::ImportOptions options;
  options.input_shapes[name] = shape;
  return options;
}

Shape input_shape(const converter::Graph& graph, std::size_t index = 0) {
  return graph.tensor(graph.inputs.at(index).tensor).shape;
}

}  // namespace

TEST_CASE("an open batch is 1, and open extents must be given") {
  OnnxBuilder builder(13);
  builder.input("image", {-1, 3, -1, -1}).node("Relu", {"image"}, {"y"}).output("y");
  CHECK(builder.refusal() ==
        "input 'image' has open extents (batch x 3 x open2 x open3); fix them, for example --input "
        "image=1x3x64x64");
  const converter::Graph graph = builder.import_with_batch(with_shape("image", {1, 3, 8, 6}));
  CHECK(describe(input_shape(graph)) == "1x3x8x6");
  CHECK(graph.any_batch);
  // A batch that the user fixed stays.
  const converter::Graph four = builder.import_with_batch(with_shape("image", {4, 3, 8, 6}));
  CHECK(describe(input_shape(four)) == "4x3x8x6");
  CHECK_FALSE(four.any_batch);
}

TEST_CASE("an extent of 0 is an empty tensor, not an open batch") {
  OnnxBuilder builder(13);
  builder.input("x", {0, 5}).node("Relu", {"x"}, {"y"}).output("y");
  CHECK(builder.refusal().find("input 'x' has open extents") == 0);
  CHECK(describe(input_shape(builder.import(with_shape("x", {2, 5})))) == "2x5");
}

TEST_CASE("shapes that do not fit are refused") {
  OnnxBuilder builder(13);
  builder.input("image", {-1, 3, -1, -1}).node("Relu", {"image"}, {"y"}).output("y");
  CHECK(builder.refusal(with_shape("image", {1, 4, 8, 8})).find("which 1x4x8x8 does not fit") !=
        std::string::npos);
  CHECK(builder.refusal(with_shape("image", {1, 3, 8})).find("give 4 extents") !=
        std::string::npos);
  CHECK(builder.refusal(with_shape("image", {1, 3, 0, 8})).find("must be positive") !=
        std::string::npos);
  CHECK(builder.refusal(with_shape("picture", {1, 3, 8, 8})).find("open extents") !=
        std::string::npos);
  OnnxBuilder fixed(13);
  fixed.input("image", {1, 3}).node("Relu", {"image"}, {"y"}).output("y");
  CHECK(fixed.refusal(with_shape("picture", {1, 3})) ==
        "the model has no input 'picture', for which a shape was given; its inputs are 'image'");
  CHECK(describe(input_shape(fixed.import(with_shape("image", {2, 3})))) == "2x3");
}

TEST_CASE("an input without a shape must be given one") {
  OnnxBuilder builder(13);
  builder.input("x", {}).node("Relu", {"x"}, {"y"}).output("y");
  builder.model()
      .mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->clear_shape();
  CHECK(builder.refusal().find("input 'x' has no shape; give it") == 0);
  CHECK(describe(input_shape(builder.import(with_shape("x", {1, 5})))) == "1x5");
}

TEST_CASE("types of inputs") {
  OnnxBuilder builder(13);
  builder.input("a", {1, 2}, onnx::TensorProto::FLOAT16)
      .input("b", {1, 2}, onnx::TensorProto::INT64);
  builder.node("Relu", {"a"}, {"y"}).output("y");
  const converter::Graph graph = builder.import();
  CHECK(graph.tensor(graph.inputs[0].tensor).type == DataType::kFloat32);
  CHECK(graph.tensor(graph.inputs[1].tensor).type == DataType::kInt32);
  OnnxBuilder text(13);
  text.input("t", {1}, onnx::TensorProto::STRING).node("Relu", {"t"}, {"y"}).output("y");
  CHECK(text.refusal().find("input 't' has numbers of the type STRING") == 0);
  OnnxBuilder sequence(13);
  sequence.input("s", {1}).node("Relu", {"s"}, {"y"}).output("y");
  sequence.model().mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
  CHECK(sequence.refusal().find("input 's' is no tensor") == 0);
}

TEST_CASE("initializers listed among the inputs are constants") {
  OnnxBuilder builder(7);
  builder.input("x", {1, 2})
      .input("c", {2})
      .floats("c", {2}, {1, 2})
      .node("Add", {"x", "c"}, {"y"})
      .output("y");
  CHECK(builder.import().inputs.size() == 1);
  check_values(builder, {{1, 1}}, {1, 2}, {2, 3});
}

}  // namespace figment::testing
