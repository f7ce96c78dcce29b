// The batch of models whose source leaves it open: told by importing at two batches.
#include <doctest/doctest.h>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {

TEST_CASE("an open batch is found on every tensor") {
  OnnxBuilder builder(13);
  builder.input("x", {-1, 6})
      .integers("shape", {4}, {-1, 2, 3, 1})
      .floats("w", {2, 2, 1, 1}, {1, 2, 3, 4});
  builder.node("Reshape", {"x", "shape"}, {"h"})
      .node("Conv", {"h", "w"}, {"c"})
      .node("Transpose", {"c"}, {"y"}, {attribute("perm", Extents{1, 0, 2, 3})});
  const converter::Graph graph = builder.output("y").import_with_batch();
  CHECK(graph.any_batch);
  CHECK(graph.tensor(graph.inputs[0].tensor).batch_axis == 0);
  CHECK(graph.tensor(graph.outputs[0].tensor).batch_axis == 1);
  for (const converter::GraphTensor& tensor : graph.tensors)
    CHECK((tensor.batch_axis >= 0) == !tensor.constant());
  const GraphRun run = run_graph(graph, {ramp(24, 0, 1)}, 4);
  CHECK(describe(run.shapes[0]) == "2x4x3x1");
  CHECK(run.values[0][0] == doctest::Approx(0 + 2 * 3));
  CHECK(run.values[0][23] == doctest::Approx(3 * 20 + 4 * 23));
}

TEST_CASE("the open axis that is named a batch is it, though it be the second") {
  // x [3,N,2], as recurrent layers have it
  OnnxBuilder builder(13);
  builder.input("x", {3, -1, 2});
  const auto shape = [&] {
    return builder.model()
        .mutable_graph()
        ->mutable_input(0)
        ->mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape();
  };
  shape()->mutable_dim(1)->set_dim_param("Batch_size");
  builder.floats("w", {1, 4, 2}, ramp(8)).floats("r", {1, 4, 4}, ramp(16, -1, 0.0625F));
  builder.node("RNN", {"x", "w", "r"}, {"all", "y"}, {attribute("hidden_size", 4)}).output("y");
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.any_batch);
  CHECK(graph.tensor(graph.inputs[0].tensor).batch_axis == 1);
  CHECK(graph.tensor(graph.outputs[0].tensor).batch_axis == 1);
  CHECK(describe(run_graph(graph, {ramp(24)}, 4).shapes[0]) == "1x4x4");
  // Other open axes must be given still.
  shape()->mutable_dim(0)->set_dim_param("steps");
  CHECK(builder.refusal() ==
        "input 'x' has open extents (steps x Batch_size x 2); fix them, for example --input "
        "x=64x1x2");
  converter::ImportOptions options;
  options.input_shapes["x"] = {5, 1, 2};
  CHECK(builder.import_with_batch(options).any_batch);
}

TEST_CASE("a constant as long as the batch broadcasts, or is repeated where it cannot") {
  OnnxBuilder builder(13);
  builder.input("x", {-1, 2}).floats("token", {1, 2}, {10, 20});
  builder.node("Shape", {"x"}, {"s"}).node("Expand", {"token", "s"}, {"tokens"});
  builder.node("Add", {"x", "tokens"}, {"sum"})
      .node("Concat", {"sum", "tokens"}, {"y"}, {attribute("axis", 1)})
      .output("y");
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.any_batch);
  CHECK(run_graph(graph, {{1, 2, 3, 4}}, 2).values[0] ==
        std::vector<double>{11, 22, 10, 20, 13, 24, 10, 20});
}

TEST_CASE("values computed from the batch fix it") {
  // x / batch
  OnnxBuilder builder(13);
  builder.input("x", {-1, 2})
      .integers("zero", {}, {0})
      .node("Shape", {"x"}, {"s"})
      .node("Gather", {"s", "zero"}, {"n"});
  builder.node("Cast", {"n"}, {"f"}, {attribute("to", onnx::TensorProto::FLOAT)})
      .node("Div", {"x", "f"}, {"y"})
      .output("y");
  const converter::Graph graph = builder.import_with_batch();
  CHECK_FALSE(graph.any_batch);
  CHECK(graph.tensor(graph.inputs[0].tensor).batch_axis == -1);
  // A shape with the batch written into it.
  OnnxBuilder shape(13);
  shape.input("x", {-1, 4})
      .integers("s", {3}, {1, 2, 2})
      .node("Reshape", {"x", "s"}, {"y"})
      .output("y");
  CHECK_FALSE(shape.import_with_batch().any_batch);
}

TEST_CASE("statistics over an open batch are what the source says") {
  OnnxBuilder builder(13);
  builder.input("x", {-1, 2}).node("ReduceMean", {"x"}, {"m"}, {attribute("axes", Extents{0})});
  builder.node("Sub", {"x", "m"}, {"y"}).output("y");
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.any_batch);
  CHECK(run_graph(graph, {{1, 2, 3, 6}}, 2).values[0] == std::vector<double>{-1, -2, 1, 2});
}

}  // namespace figment::testing
