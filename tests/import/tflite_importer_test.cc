// Inputs, outputs, batches, and operators that are not known.
#include <doctest/doctest.h>

#include "tests/import/run_graph.h"
#include "tests/import/tflite_builder.h"

namespace figment::testing::lite {
namespace {

using converter::ImportOptions;

// x [batch, height, 4, 3] -> conv -> relu -> mean over the picture; the tensors are named after it.
void build(TfliteBuilder& builder, int batch, int height = 4) {
  const int x = builder.input({batch, height, 4, 3});
  const int conv = builder.tensor({batch, height, 4, 2}, TensorType::FLOAT32, {}, "conv");
  const int relu = builder.tensor({batch, height, 4, 2}, TensorType::FLOAT32, {}, "relu");
  const int mean = builder.tensor({batch, 2}, TensorType::FLOAT32, {}, "mean");
  tflite::Conv2DOptionsT options;
  options.stride_h = options.stride_w = 1;
  builder.node(
      BuiltinOperator::CONV_2D,
      {x, builder.floats({2, 3, 3, 3}, random_numbers(54, 1)), builder.floats({2}, {1, 2})}, {conv},
      options_of(options));
  builder.node(BuiltinOperator::RELU, {conv}, {relu});
  builder.node(BuiltinOperator::MEAN, {relu, builder.integers({2}, {1, 2})}, {mean},
               options_of(tflite::ReducerOptionsT{}));
  builder.output(mean);
}

}  // namespace

TEST_CASE("any batch works, whether it is open or 1") {
  for (const int batch : {-1, 1}) {
    TfliteBuilder builder;
    build(builder, batch);
    const converter::Graph graph = builder.import_with_batch();
    CHECK(graph.any_batch);
    CHECK(graph.inputs.at(0).name == "x");
    CHECK(graph.outputs.at(0).name == "mean");
    CHECK(run_graph(graph, {random_numbers(3 * 48, 2)}, 3).shapes[0] ==
          converter::make_shape({3, 2}));
  }
  TfliteBuilder fixed;
  build(fixed, 2);
  CHECK_FALSE(fixed.import_with_batch().any_batch);
}

TEST_CASE("a batch of int8 pictures") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2, 2, 1}, TensorType::INT8, {{0.5F}, {0}});
  const int c = builder.tensor({1, 2, 2, 1}, TensorType::INT8, {{0.5F}, {0}});
  const int flat = builder.tensor({1, 4}, TensorType::INT8, {{0.5F}, {0}});
  const int y = builder.tensor({1, 1}, TensorType::INT8, {{0.5F}, {0}});
  tflite::Conv2DOptionsT options;
  options.stride_h = options.stride_w = 1;
  builder.node(BuiltinOperator::CONV_2D, {x, builder.bytes({1, 1, 1, 1}, {2}, {{1}, {0}}), -1}, {c},
               options_of(options));
  builder.node(BuiltinOperator::RESHAPE, {c, builder.integers({2}, {1, 4})}, {flat});
  builder.node(BuiltinOperator::FULLY_CONNECTED,
               {flat, builder.bytes({1, 4}, {1, 1, 1, 1}, {{1}, {0}})}, {y},
               options_of(tflite::FullyConnectedOptionsT{}));
  builder.output(y);
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.any_batch);
  CHECK(run_graph(graph, {{1, 2, 3, 4, 0, 0, 1, -2}}, 2).values[0] == std::vector<double>{20, -2});
}

TEST_CASE("open extents must be given; pictures may be made larger") {
  TfliteBuilder open;
  build(open, 1, -1);
  CHECK(open.refusal().find("input 'x' has open extents (1x?x4x3); fix them, for example --input "
                            "x=1x64x4x3") != std::string::npos);
  ImportOptions options;
  options.input_shapes["x"] = {1, 9, 8, 3};
  CHECK(open.refusal(options) == "");
  TfliteBuilder closed;
  build(closed, 1);
  CHECK(closed.import(options).tensor(0).shape == converter::make_shape({1, 9, 8, 3}));
  options.input_shapes["x"] = {1, 9, 8};
  CHECK(closed.refusal(options).find("give 4 extents") != std::string::npos);
  options.input_shapes = {{"z", {1}}};
  CHECK(closed.refusal(options).find("no input 'z'") != std::string::npos);
}

TEST_CASE("a part of the model, by the names of tensors") {
  TfliteBuilder builder;
  build(builder, 1);
  ImportOptions options;
  options.from = "conv";
  options.to = "relu";
  const converter::Graph graph = builder.import(options);
  CHECK(graph.nodes.size() == 1);
  CHECK(graph.inputs.at(0).name == "conv");
  CHECK(graph.outputs.at(0).name == "relu");
  options.to = "elsewhere";
  CHECK(builder.refusal(options).find("no tensor 'elsewhere', which --to names") !=
        std::string::npos);
  options = {};
  options.from = "mean";
  options.to = "conv";
  CHECK(builder.refusal(options).find("cut at the wrong place with --from") != std::string::npos);
}

TEST_CASE("an input that is handed through, and one tensor as two outputs") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2});
  const int y = builder.tensor({1, 2}, TensorType::FLOAT32, {}, "y");
  builder.node(BuiltinOperator::RELU, {x}, {y}).output(x).output(y);
  const GraphRun run = run_graph(builder.import(), {{-1, 2}});
  CHECK(run.values[0] == std::vector<double>{-1, 2});
  CHECK(run.values[1] == std::vector<double>{0, 2});
}

TEST_CASE("operators that are not known are refused by name and index") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2});
  const int y = builder.tensor({1, 2}, TensorType::FLOAT32, {}, "y"), z = builder.tensor({1, 2});
  builder.node(BuiltinOperator::RELU, {x}, {y}).node(BuiltinOperator::LSTM, {y}, {z}).output(z);
  CHECK(builder.refusal().find("operator 1, 't2', is LSTM, which is not supported") == 0);
  TfliteBuilder custom;
  const int a = custom.input({1, 2}), b = custom.tensor({1, 2});
  custom.node(BuiltinOperator::CUSTOM, {a}, {b}).output(b);
  custom.model().operator_codes[0]->custom_code = "FlexErf";
  CHECK(custom.refusal().find("operator 0, 't1', is the custom operator 'FlexErf'") == 0);
}

TEST_CASE("types of inputs that are not supported, and sparse constants") {
  TfliteBuilder builder;
  const int x = builder.input({1, 2}, TensorType::INT16), y = builder.tensor({1, 2});
  CHECK(builder.node(BuiltinOperator::RELU, {x}, {y}).output(y).refusal().find("type INT16") !=
        std::string::npos);
  TfliteBuilder sparse;
  const int a = sparse.input({1, 2}), b = sparse.floats({2}, {1, 2}), c = sparse.tensor({1, 2});
  sparse.graph().tensors[static_cast<std::size_t>(b)]->sparsity =
      std::make_unique<tflite::SparsityParametersT>();
  CHECK(sparse.node(BuiltinOperator::ADD, {a, b}, {c}).output(c).refusal().find("sparse") !=
        std::string::npos);
}

}  // namespace figment::testing::lite
