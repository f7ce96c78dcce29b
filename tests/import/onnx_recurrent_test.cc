// RNN, GRU and LSTM.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/import/onnx_builder.h"
#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

constexpr int kSteps = 3, kBatch = 2, kInputs = 2, kHidden = 3;

onnx::AttributeProto texts(const std::string& name, const std::vector<std::string>& values) {
  onnx::AttributeProto result;
  result.set_name(name);
  result.set_type(onnx::AttributeProto::STRINGS);
  for (const std::string& value : values) result.add_strings(value);
  return result;
}

// Numbers in [-1, 1], different for different seeds.
std::vector<float> wave(std::int64_t count, float seed) {
  std::vector<float> values;
  for (std::int64_t index = 0; index < count; ++index)
    values.push_back(std::sin(seed + 1.7F * static_cast<float>(index)));
  return values;
}

int gates_of(const std::string& kind) { return kind == "RNN" ? 1 : kind == "GRU" ? 3 : 4; }

// A model of one node over x, w and r, whose outputs are named as `outputs` says ("" : not there).
struct Layer {
  std::string kind;
  int directions = 1;
  int opset = 14;
  bool batch_first = false;
  std::vector<std::string> further = {};  // operands after r
  std::vector<std::string> outputs = {"y"};
  std::vector<onnx::AttributeProto> attributes = {};

  Extents x_extents() const {
    return batch_first ? Extents{kBatch, kSteps, kInputs} : Extents{kSteps, kBatch, kInputs};
  }

  void build(OnnxBuilder& builder) const {
    const int rows = gates_of(kind) * kHidden;
    builder.input("x", x_extents());
    builder.floats("w", {directions, rows, kInputs}, wave(directions * rows * kInputs, 1));
    builder.floats("r", {directions, rows, kHidden}, wave(directions * rows * kHidden, 2));
    const Extents state =
        batch_first ? Extents{kBatch, directions, kHidden} : Extents{directions, kBatch, kHidden};
    for (const std::string& name : further) {
      if (name == "b") builder.floats("b", {directions, 2 * rows}, wave(directions * 2 * rows, 3));
      if (name == "p")
        builder.floats("p", {directions, 3 * kHidden}, wave(directions * 3 * kHidden, 4));
      if (name == "h0" || name == "c0")
        builder.floats(name, state, wave(directions * kBatch * kHidden, name == "h0" ? 5 : 6));
      if (name == "zero" || name == "nothing")
        builder.floats(name, state, std::vector<float>(directions * kBatch * kHidden, 0.0F));
      if (name == "whole") builder.integers(name, {kBatch}, {kSteps, kSteps});
      if (name == "short") builder.integers(name, {kBatch}, {1, kSteps});
    }
    std::vector<std::string> inputs = {"x", "w", "r"};
    inputs.insert(inputs.end(), further.begin(), further.end());
    std::vector<onnx::AttributeProto> all = attributes;
    all.push_back(attribute("hidden_size", kHidden));
    if (batch_first) all.push_back(attribute("layout", 1));
    if (directions == 2) all.push_back(attribute("direction", "bidirectional"));
    builder.node(kind, inputs, outputs, all);
    for (const std::string& output : outputs)
      if (!output.empty()) builder.output(output);
  }

  converter::Graph import() const {
    OnnxBuilder builder(opset);
    build(builder);
    return builder.import();
  }
  GraphRun run(const std::vector<float>& x) const { return run_graph(import(), {x}); }
  std::string refusal() const {
    OnnxBuilder builder(opset);
    build(builder);
    return builder.refusal();
  }
};

const std::vector<float> kX = wave(kSteps * kBatch * kInputs, 0);

const format::RecurrentT& options_of(const converter::Graph& graph) {
  return graph.nodes[0].as<format::RecurrentT>();
}

// kX with the batch before the steps.
std::vector<float> turned_x() {
  std::vector<float> turned(kX.size());
  for (int step = 0; step < kSteps; ++step)
    for (int sequence = 0; sequence < kBatch; ++sequence)
      for (int k = 0; k < kInputs; ++k)
        turned[(sequence * kSteps + step) * kInputs + k] =
            kX[(step * kBatch + sequence) * kInputs + k];
  return turned;
}

void check_contains(const std::string& sentence, const std::string& words) {
  CAPTURE(sentence);
  CHECK(sentence.find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("a layer of one number can be followed by hand") {
  // tanh(2 x + 0.5 h + 0.25 + 0.125)
  OnnxBuilder builder(7);
  builder.input("x", {2, 1, 1}).floats("w", {1, 1, 1}, {2}).floats("r", {1, 1, 1}, {0.5F});
  builder.floats("b", {1, 2}, {0.25F, 0.125F})
      .node("RNN", {"x", "w", "r", "b"}, {"y"}, {attribute("hidden_size", 1)})
      .output("y");
  const double first = std::tanh(2 * 0.5 + 0.375);
  check_values(builder, {{0.5F, -1}}, {2, 1, 1, 1}, {first, std::tanh(-2 + 0.5 * first + 0.375)});
}

TEST_CASE("the states are the sequence's last rows, in all three outputs") {
  for (const std::string kind : {"RNN", "GRU", "LSTM"})
    for (const int directions : {1, 2}) {
      Layer layer{.kind = kind, .directions = directions, .further = {"b"}};
      layer.outputs = {"y", "h"};
      if (kind == "LSTM") layer.outputs.push_back("c");
      const GraphRun run = layer.run(kX);
      const std::string state = std::to_string(directions) + "x2x3";
      CHECK(describe(run.shapes[0]) == "3x" + state);
      CHECK(describe(run.shapes[1]) == state);
      const std::size_t row = kBatch * kHidden;
      for (std::size_t i = 0; i < row; ++i) {
        CHECK(run.values[1][i] ==
              run.values[0][static_cast<std::size_t>(2 * directions) * row + i]);
        // Backwards, the last step is the first position.
        if (directions == 2) CHECK(run.values[1][row + i] == run.values[0][row + i]);
      }
      // One output alone is the same numbers.
      for (std::size_t index = 0; index < layer.outputs.size(); ++index) {
        Layer alone = layer;
        for (std::size_t other = 0; other < layer.outputs.size(); ++other)
          if (other != index) alone.outputs[other] = "";
        CHECK(options_of(alone.import()).final_states == (index > 0));
        CHECK(alone.run(kX).values[0] == run.values[index]);
      }
    }
}

TEST_CASE("layout 1 is the same with the batch first") {
  for (const std::string kind : {"RNN", "GRU", "LSTM"}) {
    Layer layer{.kind = kind, .directions = 2, .further = {"b", "", "h0"}, .outputs = {"y", "h"}};
    Layer turned = layer;
    turned.batch_first = true;
    // The same state for both sequences and directions, so that its own layout does not matter.
    const auto run = [&](const Layer& which, const std::vector<float>& x) {
      OnnxBuilder builder(which.opset);
      which.build(builder);
      for (auto& tensor : *builder.model().mutable_graph()->mutable_initializer())
        if (tensor.name() == "h0") {
          Extents extents(tensor.dims().begin(), tensor.dims().end());
          std::vector<float> same;
          for (int copy = 0; copy < 2 * kBatch; ++copy)
            for (const float value : {0.5F, -0.25F, 1.0F}) same.push_back(value);
          tensor = float_tensor("h0", extents, same);
        }
      return run_graph(builder.import(), {x});
    };
    const GraphRun a = run(layer, kX);
    const GraphRun b = run(turned, turned_x());
    CHECK(describe(b.shapes[0]) == "2x3x2x3");
    CHECK(describe(b.shapes[1]) == "2x2x3");
    for (int step = 0; step < kSteps; ++step)
      for (int d = 0; d < 2; ++d)
        for (int n = 0; n < kBatch; ++n)
          for (int j = 0; j < kHidden; ++j) {
            CHECK(b.values[0][((n * kSteps + step) * 2 + d) * kHidden + j] ==
                  a.values[0][((step * 2 + d) * kBatch + n) * kHidden + j]);
            if (step == 0)
              CHECK(b.values[1][(n * 2 + d) * kHidden + j] ==
                    a.values[1][(d * kBatch + n) * kHidden + j]);
          }
  }
}

TEST_CASE("operands that change nothing are left out, others stay") {
  const auto inputs = [](const Layer& layer) {
    const converter::Graph graph = layer.import();
    std::vector<bool> present;
    for (const converter::TensorId id : graph.nodes[0].inputs)
      present.push_back(id != converter::kAbsent);
    return present;
  };
  using Present = std::vector<bool>;
  CHECK(inputs({.kind = "GRU"}) == Present{true, true, true});
  CHECK(inputs({.kind = "GRU", .further = {"", "whole", "zero"}}) == Present{true, true, true});
  CHECK(inputs({.kind = "GRU", .further = {"b", "short", "h0"}}) == Present(6, true));
  CHECK(inputs({.kind = "LSTM", .further = {"b", "short", "h0", "c0", "p"}}) == Present(8, true));
  CHECK(inputs({.kind = "LSTM", .further = {"", "", "zero", "c0"}}) ==
        Present{true, true, true, false, false, false, true});
  const Layer whole{.kind = "LSTM", .further = {"", "whole", "zero", "nothing"}};
  CHECK(whole.run(kX).values == Layer{.kind = "LSTM"}.run(kX).values);
  const Layer shorter{.kind = "LSTM", .further = {"", "short"}};
  const std::vector<double> cut = shorter.run(kX).values[0];
  for (int step = 1; step < kSteps; ++step)
    for (int j = 0; j < kHidden; ++j) CHECK(cut[step * kBatch * kHidden + j] == 0);
}

TEST_CASE("attributes become the schema's options") {
  const auto options = [](const Layer& layer) { return layer.import(); };
  {
    const auto graph =
        options({.kind = "GRU",
                 .attributes = {attribute("linear_before_reset", 1), attribute("clip", 0.5F),
                                attribute("direction", "reverse")}});
    CHECK(options_of(graph).cell == format::RecurrentCell::Gru);
    CHECK(options_of(graph).reset_after);
    CHECK(options_of(graph).clip == 0.5F);
    CHECK(options_of(graph).direction == format::RecurrentDirection::Reverse);
    CHECK(options_of(graph).activations.empty());
  }
  {
    const auto graph = options({.kind = "LSTM", .attributes = {attribute("input_forget", 1)}});
    CHECK(options_of(graph).cell == format::RecurrentCell::Lstm);
    CHECK(options_of(graph).couple_gates);
    CHECK_FALSE(options_of(graph).final_states);
  }
}

TEST_CASE("activations, with parameters for all or for those that read them") {
  const auto activations = [](const std::vector<onnx::AttributeProto>& attributes) {
    const converter::Graph graph = Layer{.kind = "LSTM", .attributes = attributes}.import();
    std::vector<format::UnaryT> result;
    for (const auto& unary : options_of(graph).activations) result.push_back(*unary);
    return result;
  };
  const std::vector<std::string> names = {"HardSigmoid", "tanh", "LeakyRelu"};
  auto found = activations({texts("activations", names)});
  REQUIRE(found.size() == 3);
  CHECK(found[0].function == format::UnaryFunction::HardSigmoid);
  CHECK(found[0].alpha == 0.2F);
  CHECK(found[0].beta == 0.5F);
  CHECK(found[1].function == format::UnaryFunction::Tanh);
  CHECK(found[2].function == format::UnaryFunction::LeakyRelu);
  CHECK(found[2].alpha == 0.01F);
  for (const std::vector<float>& alphas :
       {std::vector<float>{0.25F, 0.75F}, std::vector<float>{0.25F, 9.0F, 0.75F}}) {
    found = activations({texts("activations", names), numbers_attribute("activation_alpha", alphas),
                         numbers_attribute("activation_beta", {0.375F})});
    CHECK(found[0].alpha == 0.25F);
    CHECK(found[0].beta == 0.375F);
    CHECK(found[2].alpha == 0.75F);
  }
  found = activations({texts("activations", {"ThresholdedRelu", "Elu", "Softplus"})});
  CHECK(found[0].alpha == 1.0F);
  CHECK(found[1].alpha == 1.0F);
  CHECK(found[2].function == format::UnaryFunction::Softplus);
  found = activations({texts("activations", {"Relu", "Softsign", "Sigmoid"})});
  CHECK(found[0].function == format::UnaryFunction::Relu);
  CHECK(found[1].function == format::UnaryFunction::Softsign);
  CHECK(found[2].function == format::UnaryFunction::Sigmoid);
}

TEST_CASE("an open batch is the sequences', with states as long") {
  // x [N,2] -> [3,N,2]; the state is a constant expanded to the batch.
  OnnxBuilder builder(14);
  builder.input("x", {-1, 2}).integers("front", {1}, {0}).integers("three", {3}, {3, 1, 1});
  builder.floats("w", {1, 9, 2}, wave(18, 1)).floats("r", {1, 9, 3}, wave(27, 2));
  builder.floats("start", {1, 1, 3}, {0.5F, -1, 0.25F});
  builder.node("Unsqueeze", {"x", "front"}, {"one"}).node("Expand", {"one", "three"}, {"steps"});
  builder.integers("at", {}, {1}).node("Shape", {"steps"}, {"s"});
  builder.node("Gather", {"s", "at"}, {"n"}).node("Unsqueeze", {"n", "front"}, {"batch"});
  builder.integers("ones", {1}, {1}).integers("width", {1}, {3});
  builder.node("Concat", {"ones", "batch", "width"}, {"h_shape"}, {attribute("axis", 0)});
  builder.node("Expand", {"start", "h_shape"}, {"h0"});
  builder.node("GRU", {"steps", "w", "r", "", "", "h0"}, {"y", "h"}, {attribute("hidden_size", 3)});
  builder.node("Squeeze", {"h", "front"}, {"z"}).output("z");
  const converter::Graph graph = builder.import_with_batch();
  CHECK(graph.any_batch);
  const GraphRun both = run_graph(graph, {{0.5F, 1, -0.5F, 2}}, 2);
  const GraphRun second = run_graph(graph, {{-0.5F, 2}}, 1);
  CHECK(describe(both.shapes[0]) == "2x3");
  CHECK(std::equal(second.values[0].begin(), second.values[0].end(), both.values[0].begin() + 3));
}

TEST_CASE("recurrent layers that are refused") {
  check_contains(Layer{.kind = "LSTM", .attributes = {texts("activations", {"Tanh"})}}.refusal(),
                 "1 activations but must have 3");
  for (const std::string name : {"Affine", "ScaledTanh"})
    check_contains(Layer{.kind = "RNN", .attributes = {texts("activations", {name})}}.refusal(),
                   "activation '" + name + "' is not supported");
  check_contains(Layer{.kind = "RNN", .attributes = {attribute("direction", "up")}}.refusal(),
                 "direction 'up'");
  check_contains(Layer{.kind = "RNN", .attributes = {attribute("clip", -1.0F)}}.refusal(),
                 "must be positive");
  check_contains(Layer{.kind = "RNN", .attributes = {attribute("output_sequence", 1)}}.refusal(),
                 "'output_sequence'");
  OnnxBuilder flat(14);
  flat.input("x", {2, 3}).floats("w", {1, 1, 1}, {1}).floats("r", {1, 1, 1}, {1});
  flat.node("RNN", {"x", "w", "r"}, {"y"}).output("y");
  check_contains(flat.refusal(), "must have 3 axes");
  OnnxBuilder nameless(14);
  nameless.input("x", {2, 3, 1}).floats("w", {1, 1, 1}, {1}).floats("r", {1, 1, 1}, {1});
  nameless.node("RNN", {"x", "w", "r"}, {"", "state"}, {attribute("direction", "up")});
  nameless.model().mutable_graph()->mutable_node(0)->clear_name();
  check_contains(nameless.output("state").refusal(), "node 'state' (RNN): its direction 'up'");
  OnnxBuilder size(14);
  size.input("x", {2, 3, 1}).floats("w", {1, 1, 1}, {1}).floats("r", {1, 1, 1}, {1});
  size.node("RNN", {"x", "w", "r"}, {"y"}, {attribute("hidden_size", 2)}).output("y");
  check_contains(size.refusal(), "hidden_size");
  OnnxBuilder narrow(14);
  narrow.input("x", {2, 3, 2}).floats("w", {1, 1, 1}, {1}).floats("r", {1, 1, 1}, {1});
  narrow.node("RNN", {"x", "w", "r"}, {"y"}).output("y");
  check_contains(narrow.refusal(), "input 1 has shape 1x1x1");
}

}  // namespace figment::testing
