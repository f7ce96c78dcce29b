// A LeakyRelu between two dense layers becomes a Relu beside the first layer's input; the pass
// refrains where somebody else reads it and where it would not pay.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::UnaryFunction;

namespace {

constexpr int kLatent = 5, kHidden = 41, kOutputs = 19;

// Scaled so that results stay near 1.
void scale_weights(Graph& graph, const Node& dense) {
  GraphTensor& weights = graph.tensor(dense.inputs[1]);
  auto* values = reinterpret_cast<float*>(weights.data->data());
  for (std::int64_t i = 0; i < weights.shape.elements(); ++i)
    values[i] /= static_cast<float>(weights.shape[1]);
}

// z -> Dense -> LeakyRelu -> Dense; the activation is a Unary of its own.
struct Decoder {
  explicit Decoder(std::vector<std::int64_t> latent = {1, kLatent}, int hidden_width = kHidden,
                   int outputs = kOutputs, float alpha = 0.3f) {
    z = add_batch_input(graph, "z", latent);
    wide = dense(graph, z, hidden_width, 1);
    hidden = unary(graph, wide, UnaryFunction::LeakyRelu, alpha);
    y = dense(graph, hidden, outputs, 3);
    for (const Node& node : graph.nodes)
      if (is_dense(node)) scale_weights(graph, node);
  }
  static bool is_dense(const Node& node) { return node.kind() == format::OperatorOptions::Dense; }

  Graph graph;
  TensorId z, wide, hidden, y;
};

const Node& last_node(const Graph& graph) { return graph.nodes.back(); }

void check_split(const Graph& before) {
  Graph after = before;
  CHECK(split_leaky_relu(after).changes == 1);
  CHECK(count<format::ConcatT>(after) == 1);
  CHECK(difference(before, after) < 1e-6);
  CHECK(holds_at_batch(after, 1));
  // A second time there is nothing left.
  CHECK(split_leaky_relu(after).changes == 0);
}

void check_left(const Graph& before) {
  Graph after = before;
  CHECK(split_leaky_relu(after).changes == 0);
  CHECK(after.nodes.size() == before.nodes.size());
  CHECK(difference(before, after) == 0.0);
}

}  // namespace

TEST_CASE("a Unary between two layers, and what stands where afterwards") {
  Decoder decoder;
  add_output(decoder.graph, decoder.y);
  check_split(decoder.graph);
  Graph after = decoder.graph;
  split_leaky_relu(after);
  REQUIRE(after.nodes.size() == 4);
  CHECK(after.nodes[1].as<format::UnaryT>().function == UnaryFunction::Relu);
  CHECK(after.tensor(last_node(after).inputs[1]).shape ==
        make_shape({kOutputs, kHidden + kLatent}));
}

TEST_CASE("the activation that the first layer carries; the second keeps its own") {
  Decoder decoder;
  add_output(decoder.graph, unary(decoder.graph, decoder.y, UnaryFunction::Sigmoid));
  fuse_activation(decoder.graph);
  REQUIRE(decoder.graph.nodes.size() == 2);
  check_split(decoder.graph);
  Graph after = decoder.graph;
  split_leaky_relu(after);
  CHECK(after.nodes[0].activation->function == UnaryFunction::Relu);
  CHECK(last_node(after).activation->function == UnaryFunction::Sigmoid);
}

TEST_CASE("slopes of every kind, and layers without a bias") {
  for (const float alpha : {0.01f, 0.0f, 1.0f, -0.5f, 1.5f}) {
    for (const int without : {0, 1, 2, 3}) {
      CAPTURE(alpha);
      CAPTURE(without);
      Decoder decoder({1, kLatent}, kHidden, kOutputs, alpha);
      if ((without & 1) != 0) decoder.graph.nodes[0].inputs.pop_back();
      if ((without & 2) != 0) decoder.graph.nodes[2].inputs[2] = kAbsent;
      add_output(decoder.graph, decoder.y);
      check_split(decoder.graph);
    }
  }
}

TEST_CASE("more axes, while there is one row") {
  for (const bool one_row : {true, false}) {
    Decoder decoder({1, one_row ? 1 : 2, kLatent});
    add_output(decoder.graph, decoder.y);
    one_row ? check_split(decoder.graph) : check_left(decoder.graph);
  }
}

TEST_CASE("what others read of the latent, the first layer and the weights stays theirs") {
  Decoder decoder;
  Graph& graph = decoder.graph;
  add_output(graph, decoder.y);
  SUBCASE("the latent") { add_output(graph, unary(graph, decoder.z, UnaryFunction::Tanh)); }
  SUBCASE("what the first layer gives") { add_output(graph, decoder.wide); }
  SUBCASE("both layers' weights") {
    const TensorId w1 = graph.nodes[0].inputs[1], w2 = graph.nodes[2].inputs[1];
    const TensorId x = graph.add_node("again", make_options(format::DenseT{}), {decoder.z, w1});
    const TensorId tanh = unary(graph, x, UnaryFunction::Tanh);
    add_output(graph, graph.add_node("again", make_options(format::DenseT{}), {tanh, w2}));
  }
  check_split(graph);
}

TEST_CASE("two in one model") {
  Decoder decoder;
  Graph& graph = decoder.graph;
  const TensorId narrow = unary(graph, dense(graph, decoder.y, 4, 5), UnaryFunction::Tanh);
  const TensorId hidden = unary(graph, dense(graph, narrow, 33, 7), UnaryFunction::LeakyRelu, 0.2f);
  const TensorId out = dense(graph, hidden, 18, 9);
  for (std::size_t index = 3; index < graph.nodes.size(); ++index)
    if (Decoder::is_dense(graph.nodes[index])) scale_weights(graph, graph.nodes[index]);
  add_output(graph, out);
  Graph after = graph;
  CHECK(split_leaky_relu(after).changes == 2);
  CHECK(difference(graph, after) < 1e-6);
}

TEST_CASE("not where somebody else reads the LeakyRelu") {
  Decoder decoder;
  Graph& graph = decoder.graph;
  add_output(graph, decoder.y);
  SUBCASE("another node") { add_output(graph, unary(graph, decoder.hidden, UnaryFunction::Tanh)); }
  SUBCASE("the model's output") { add_output(graph, decoder.hidden); }
  check_left(graph);
}

TEST_CASE("not where it does not pay") {
  SUBCASE("a first layer that is not eight times as wide as its input") {
    Decoder decoder({1, kLatent}, 8 * kLatent - 1);
    add_output(decoder.graph, decoder.y);
    check_left(decoder.graph);
  }
  SUBCASE("rows in which the runtime does not look for zeros") {
    Decoder decoder({1, kLatent}, 4096 - kLatent + 1);
    add_output(decoder.graph, decoder.y);
    check_left(decoder.graph);
  }
  SUBCASE("outputs of one vector") {
    Decoder decoder({1, kLatent}, kHidden, 16);
    add_output(decoder.graph, decoder.y);
    check_left(decoder.graph);
  }
  SUBCASE("at the limits it does") {
    Decoder decoder({1, kLatent}, 8 * kLatent, 17);
    add_output(decoder.graph, decoder.y);
    check_split(decoder.graph);
  }
}

TEST_CASE("not weights that are stored smaller or computed") {
  Decoder decoder;
  Graph& graph = decoder.graph;
  add_output(graph, decoder.y);
  SUBCASE("int8") { quantize_weights(graph); }
  SUBCASE("float16") { narrow_weights(graph); }
  SUBCASE("computed") {
    const TensorId weights =
        graph.add_input("weights", figment::DataType::kFloat32, make_shape({kOutputs, kHidden}));
    graph.inputs.back().name = "weights";
    graph.nodes[2].inputs[1] = weights;
  }
  check_left(graph);
}

TEST_CASE("not another function") {
  Decoder decoder;
  add_output(decoder.graph, decoder.y);
  SUBCASE("Elu") {
    decoder.graph.nodes[1].as<format::UnaryT>() = {{}, UnaryFunction::Elu, 0.3f, 0.0f};
  }
  SUBCASE("two, one after the other, in a Unary") {
    decoder.graph.nodes[1].activation = format::UnaryT{{}, UnaryFunction::Tanh, 0.0f, 0.0f};
  }
  SUBCASE("one that the first layer has computed before") {
    decoder.graph.nodes[0].activation = format::UnaryT{{}, UnaryFunction::Tanh, 0.0f, 0.0f};
  }
  check_left(decoder.graph);
}
