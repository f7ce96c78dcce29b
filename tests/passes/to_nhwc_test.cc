// N,C,H,W becomes N,H,W,C with no Transpose left where there is a way, and the same results always.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;
using format::UnaryFunction;

namespace {

// What an importer makes of a convolution on N,C,H,W.
TensorId layer(Graph& graph, TensorId x, int outputs, int seed) {
  return from_last(graph, convolution(graph, to_last(graph, x), outputs, seed));
}

TensorId upsample(Graph& graph, TensorId x) {
  const figment::Shape shape = graph.tensor(x).shape;
  format::ResizeT options;
  options.height = 2 * shape[2];
  options.width = 2 * shape[3];
  return from_last(graph, graph.add_node("resize", make_options(options), {to_last(graph, x)}));
}

// Runs the pass (and drops what moves nothing), checks the results and how many Transposes are
// left.
Graph turned(const Graph& before, int transposes) {
  Graph after = before;
  to_nhwc(after);
  drop_identities(after);
  CHECK(count<format::TransposeT>(after) == transposes);
  CHECK(difference(before, after) < 1e-5);
  CHECK(holds_at_batch(after, 1));
  CHECK((!after.any_batch || holds_at_batch(after, 3)));
  return after;
}

TensorId picture(Graph& graph) { return add_batch_input(graph, "x", {1, 3, 4, 5}); }

}  // namespace

TEST_CASE("a chain of layers, and ports that record the source's order") {
  Graph before;
  TensorId x = unary(before, layer(before, picture(before), 4, 1), UnaryFunction::Relu);
  add_output(before, unary(before, layer(before, x, 2, 3), UnaryFunction::Tanh));
  const Graph after = turned(before, 0);
  CHECK(after.tensor(after.inputs[0].tensor).shape == make_shape({1, 4, 5, 3}));
  CHECK(after.tensor(after.outputs[0].tensor).shape == make_shape({1, 4, 5, 2}));
  CHECK(after.inputs[0].source_axes == std::vector<std::uint8_t>{0, 3, 1, 2});
  CHECK(after.outputs[0].source_axes == std::vector<std::uint8_t>{0, 3, 1, 2});
  CHECK(after.tensor(after.outputs[0].tensor).batch_axis == 0);
  CHECK(after.nodes.size() == 4);
}

TEST_CASE("a picture of one channel is stored N,H,W,C too") {
  Graph before;
  add_output(before, unary(before, layer(before, picture(before), 1, 1), UnaryFunction::Tanh));
  const Graph after = turned(before, 0);
  CHECK(after.tensor(after.outputs[0].tensor).shape == make_shape({1, 4, 5, 1}));
}

TEST_CASE("residuals, scaling by constants, and the input read twice") {
  Graph before;
  const TensorId input = picture(before);
  TensorId x = binary(before, input, add_number(before, 3.0f), BinaryFunction::Div);
  x = binary(before, unary(before, x, UnaryFunction::Tanh), add_some(before, {3, 1, 1}, 9),
             BinaryFunction::Mul);
  const TensorId inner = layer(before, layer(before, x, 4, 1), 3, 3);
  x = upsample(before,
               unary(before, binary(before, x, inner, BinaryFunction::Add), UnaryFunction::Relu));
  add_output(before, binary(before, x, add_some(before, {8, 10}, 8), BinaryFunction::Mul));
  turned(before, 0);
}

TEST_CASE("Concat, Slice, Pad, Softmax, Reduce over channels or pixels") {
  Graph before;
  // A constant beside pictures fixes the batch.
  const TensorId input =
      before.add_input("x", figment::DataType::kFloat32, make_shape({1, 3, 4, 5}));
  const TensorId left = layer(before, input, 4, 1), right = layer(before, input, 2, 3);
  TensorId x = before.add_node("concat", make_options(format::ConcatT{{}, 1}),
                               {left, add_some(before, {1, 1, 4, 5}, 7), right});
  SUBCASE("slice") {
    x = before.add_node(
        "slice", make_options(format::SliceT{{}, {0, 1, 3, 0}, {-1, 3, -1, 2}, {1, 1, -1, 2}}),
        {x});
  }
  SUBCASE("pad") {
    x = before.add_node(
        "pad",
        make_options(format::PadT{{}, format::PadMode::Reflect, {0, 0, 1, 2}, {0, 0, 3, 0}, 0.0f}),
        {x});
  }
  SUBCASE("softmax") { x = before.add_node("softmax", make_options(format::SoftmaxT{{}, 1}), {x}); }
  SUBCASE("tile") {
    x = before.add_node("tile", make_options(format::TileT{}), {x}, make_shape({1, 7, 8, 5}));
  }
  SUBCASE("reduce, axes kept") {
    const TensorId mean = before.add_node(
        "reduce", make_options(format::ReduceT{{}, format::ReduceFunction::Mean, {1}, true}), {x});
    x = binary(before, x, mean, BinaryFunction::Sub);
  }
  add_output(before, x);
  turned(before, 0);
}

TEST_CASE("Reduce that drops axes: pixels to features, which keep their order") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  const TensorId pooled = before.add_node(
      "reduce", make_options(format::ReduceT{{}, format::ReduceFunction::Mean, {2, 3}, false}),
      {x});
  add_output(before, dense(before, pooled, 2, 5));
  turned(before, 0);
}

TEST_CASE("the channels of a whole row are summed up: the order of what is left changes") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  add_output(before,
             before.add_node(
                 "reduce",
                 make_options(format::ReduceT{{}, format::ReduceFunction::Sum, {2}, false}), {x}));
  // [N,C,W] comes out as [N,W,C], which the port records.
  const Graph after = turned(before, 0);
  CHECK(after.outputs[0].source_axes == std::vector<std::uint8_t>{0, 2, 1});
}

TEST_CASE("a Dense before pictures: its rows are permuted") {
  Graph before;
  TensorId x = dense(before, add_batch_input(before, "z", {1, 6}), 3 * 2 * 4, 1);
  x = batch_normalization(before, unary(before, x, UnaryFunction::LeakyRelu, 0.2f), 11);
  x = binary(before, x, add_some(before, {24}, 16), BinaryFunction::Mul);
  x = reshape(before, x, {1, 3, 2, 4});
  add_output(before, layer(before, unary(before, x, UnaryFunction::Relu), 2, 3));
  turned(before, 0);
}

TEST_CASE("a Dense after pictures, and two of them: their columns are permuted") {
  Graph before;
  const TensorId flat = reshape(before, layer(before, picture(before), 4, 1), {1, 80});
  const TensorId active = binary(before, unary(before, flat, UnaryFunction::Relu),
                                 add_some(before, {80}, 6), BinaryFunction::Add);
  add_output(before, dense(before, active, 3, 7));
  const TensorId weights = add_some(before, {80, 2}, 8);
  add_output(before,
             before.add_node("product", make_options(format::MatMulT{}), {active, weights}));
  turned(before, 0);
}

TEST_CASE("a Dense whose features somebody else reads is left alone") {
  Graph before;
  const TensorId features = dense(before, add_batch_input(before, "z", {1, 6}), 24, 1);
  add_output(before, layer(before, reshape(before, features, {1, 3, 2, 4}), 2, 3));
  SUBCASE("by the model's user") { add_output(before, features); }
  SUBCASE("by another operator") {
    add_output(before, unary(before, features, UnaryFunction::Exp));
  }
  turned(before, 1);
}

TEST_CASE("flattened pictures that the model shows keep the source's order") {
  Graph before;
  const TensorId flat = reshape(before, layer(before, picture(before), 4, 1), {1, 80});
  add_output(before, flat);
  add_output(before, dense(before, flat, 3, 7));
  turned(before, 1);
}

TEST_CASE("pictures that are only pixels become features without a Transpose") {
  Graph before;
  const TensorId pooled = before.add_node(
      "reduce", make_options(format::ReduceT{{}, format::ReduceFunction::Mean, {1, 2}, true}),
      {convolution(before, to_last(before, picture(before)), 6, 1)});
  add_output(before, reshape(before, from_last(before, pooled), {1, 6}));
  turned(before, 0);
}

TEST_CASE("a gate per channel that comes from features (squeeze and excitation)") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  const TensorId pooled = before.add_node(
      "reduce", make_options(format::ReduceT{{}, format::ReduceFunction::Mean, {2, 3}, false}),
      {x});
  const TensorId gate = unary(before, dense(before, pooled, 4, 5), UnaryFunction::Sigmoid);
  add_output(
      before,
      layer(before, binary(before, x, reshape(before, gate, {1, 4, 1, 1}), BinaryFunction::Mul), 2,
            7));
  turned(before, 0);
}

TEST_CASE("a gate with fewer axes than the pictures") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  const TensorId plane = before.add_input("plane", figment::DataType::kFloat32, make_shape({4, 5}));
  add_output(before, layer(before, binary(before, x, plane, BinaryFunction::Mul), 2, 7));
  turned(before, 0);
}

TEST_CASE("attention: pixels in a row as a sequence of features") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  const TensorId sequence = transpose(before, reshape(before, x, {1, 4, 20}), {0, 2, 1});
  const TensorId query = dense(before, sequence, 4, 3), key = dense(before, sequence, 4, 5);
  const TensorId scores = before.add_node("scores", make_options(format::MatMulT{}),
                                          {query, transpose(before, key, {0, 2, 1})});
  const TensorId weights =
      before.add_node("softmax", make_options(format::SoftmaxT{{}, 2}), {scores});
  const TensorId mixed =
      before.add_node("mix", make_options(format::MatMulT{}), {weights, sequence});
  const TensorId back = reshape(before, transpose(before, mixed, {0, 2, 1}), {1, 4, 4, 5});
  add_output(before, layer(before, binary(before, x, back, BinaryFunction::Add), 2, 7));
  turned(before, 1);  // the key's
}

TEST_CASE("signals N,C,L run as pictures of height 1") {
  Graph before;
  const auto signal_layer = [&](TensorId x, int outputs, int seed) {
    const figment::Shape shape = before.tensor(x).shape;
    const TensorId rows =
        reshape(before, transpose(before, x, {0, 2, 1}), {1, 1, shape[2], shape[1]});
    return transpose(
        before, reshape(before, convolution(before, rows, outputs, seed), {1, shape[2], outputs}),
        {0, 2, 1});
  };
  TensorId x = signal_layer(add_batch_input(before, "x", {1, 3, 6}), 4, 1);
  x = signal_layer(unary(before, x, UnaryFunction::Relu), 2, 3);
  add_output(before, unary(before, x, UnaryFunction::Tanh));
  turned(before, 0);
}

TEST_CASE("normalizations over channels") {
  Graph before;
  TensorId x = layer(before, picture(before), 4, 1);
  x = from_last(before, batch_normalization(before, to_last(before, x), 3));
  x = from_last(before,
                before.add_node("group", make_options(format::GroupNormalizationT{{}, 2, 1e-5f}),
                                {to_last(before, x), kAbsent, kAbsent}));
  x = from_last(before,
                before.add_node("layer", make_options(format::LayerNormalizationT{{}, 1, 1e-5f}),
                                {to_last(before, x), kAbsent, kAbsent}));
  add_output(before, x);
  turned(before, 0);
}

TEST_CASE("a normalization over channels and pixels takes them in any order") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  const TensorId scale = add_some(before, {4, 4, 5}, 3), bias = add_some(before, {4, 4, 5}, 4);
  const format::LayerNormalizationT options{{}, 3, 1e-5f};
  const TensorId normal = before.add_node("layer", make_options(options), {x, scale, bias});
  add_output(before, layer(before, normal, 2, 5));
  turned(before, 0);
}

TEST_CASE("a normalization over other axes keeps its Transpose") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  const TensorId normal = before.add_node(
      "layer", make_options(format::LayerNormalizationT{{}, 2, 1e-5f}), {x, kAbsent, kAbsent});
  add_output(before, dense(before, normal, 3, 5));
  turned(before, 1);
}

TEST_CASE("a model that came with channels last from its source") {
  Graph before;
  const TensorId x = transpose(before, add_batch_input(before, "x", {1, 4, 5, 3}), {0, 3, 1, 2});
  add_output(before, transpose(before, layer(before, x, 2, 1), {0, 2, 3, 1}));
  const Graph after = turned(before, 0);
  CHECK(after.inputs[0].source_axes.empty());
  CHECK(after.outputs[0].source_axes.empty());
  CHECK(after.nodes.size() == 1);
}

TEST_CASE("an input that is read in both orders") {
  Graph before;
  const TensorId x = picture(before);
  add_output(before, layer(before, x, 2, 1));
  add_output(before, dense(before, reshape(before, x, {1, 60}), 2, 3));
  turned(before, 1);
}

TEST_CASE("noise stays the same noise") {
  Graph before;
  const TensorId noise =
      before.add_node("noise", make_options(format::RandomNormalT{{}, 0.0f, 1.0f, 7}), {},
                      make_shape({1, 3, 4, 5}));
  const TensorId x = before.add_input("x", figment::DataType::kFloat32, make_shape({1, 3, 4, 5}));
  add_output(before, layer(before, binary(before, x, noise, BinaryFunction::Add), 2, 1));
  turned(before, 1);
}

TEST_CASE("an output that is also read inside, and one shown twice") {
  Graph before;
  const TensorId x = layer(before, picture(before), 4, 1);
  add_output(before, x);
  add_output(before, x);
  add_output(before, layer(before, x, 2, 3));
  const Graph after = turned(before, 0);
  CHECK(after.outputs[0].tensor == after.outputs[1].tensor);
}
