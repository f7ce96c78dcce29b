// Descriptions of networks: what they may say, and what is wrong with others.
#include "converter/import/torch/network.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/import/torch/golden_case.h"

namespace figment::testing {
namespace {

// Weights of "0.weight" [2, 3] and "0.bias" [2].
const std::map<std::string, GoldenTensor> kLinear = {{"0.weight", {{2, 3}, {1, 2, 3, 4, 5, 6}, 1}},
                                                     {"0.bias", {{2}, {1, -1}, 1}}};
const std::string kInput = R"("inputs": [{"name": "x", "shape": ["N", 3]}])";

class Place {
 public:
  explicit Place(const std::map<std::string, GoldenTensor>& weights = kLinear)
      : path_(folder_.write("weights.safetensors", safetensors_bytes(weights))) {}

  converter::ImportOptions options(const std::string& network) const {
    converter::ImportOptions options;
    options.network = folder_.write("network.json", network);
    return options;
  }
  converter::Graph import(const std::string& network) const {
    return converter::import_file(path_, options(network));
  }
  std::string refusal(const std::string& network) const {
    return torch_refusal(path_, options(network));
  }
  // Of the layers alone.
  std::string refusal_of(const std::string& layers) const {
    return refusal("{" + kInput + ", \"layers\": " + layers + "}");
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_;
};

bool mentions(const std::string& sentence, const std::string& what) {
  CAPTURE(sentence);
  CAPTURE(what);
  CHECK(sentence.find(what) != std::string::npos);
  return true;
}

}  // namespace

TEST_CASE("names, places, blocks and repeats") {
  std::map<std::string, GoldenTensor> weights;
  for (const char* name : {"body.0.a", "body.1.a", "last"}) {
    weights[std::string(name) + ".weight"] = {{2, 2}, {1, 0, 0, 1}, 1};
    weights[std::string(name) + ".bias"] = {{2}, {0.5F, 1}, 1};
  }
  const Place place(weights);
  const converter::Graph graph = place.import(R"({
    "inputs": [{"name": "x", "shape": ["N", "last.weight[1]"]}],
    "blocks": {"Residual": {
      "arguments": {"slope": 0.5},
      "layers": [{"type": "Linear", "name": "a"}, {"type": "LeakyReLU", "negative_slope": "$slope"},
                 {"type": "add", "from": ["1", "input"]}]}},
    "layers": [
      {"name": "body", "layers": [{"type": "Residual", "repeat": 2}]},
      {"type": "Linear", "name": "last"},
      {"type": "mul", "from": ["last", "body"], "name": "product"}
    ],
    "outputs": ["product", {"name": "hidden", "from": "body"}]
  })");
  CHECK(graph.outputs.at(1).name == "hidden");
  GoldenCase golden;
  golden.inputs = {{"x", {{1, 2}, {1, -2}, 1}}};
  // Residual: y = leaky(x + bias) + x, twice.
  golden.outputs = {{{1, 2}, {36.0F, 9.625F}, 1}, {{1, 2}, {5.5F + 0.0F, -3.5F}, 1}};
  double x[2] = {1, -2};
  for (int time = 0; time < 2; ++time) {
    const double a = x[0] + 0.5, b = x[1] + 1;
    x[0] += a < 0 ? a / 2 : a;
    x[1] += b < 0 ? b / 2 : b;
  }
  golden.outputs[1].values = {static_cast<float>(x[0]), static_cast<float>(x[1])};
  golden.outputs[0].values = {static_cast<float>(x[0] * (x[0] + 0.5)),
                              static_cast<float>(x[1] * (x[1] + 1))};
  golden.check(graph);
}

TEST_CASE("what is left out, optional or a parameter") {
  std::map<std::string, GoldenTensor> weights = kLinear;
  weights["scale"] = {{2}, {2, 3}, 1};
  const Place place(weights);
  const converter::Graph graph = place.import("{" + kInput + R"(, "layers": [
      {"type": "Linear"}, {"type": "Linear", "name": "skip", "optional": true},
      {"type": "parameter", "name": "scale"}, {"type": "mul", "from": ["skip", "scale"]}]})");
  GoldenCase golden;
  golden.inputs = {{"x", {{1, 3}, {1, 1, 1}, 1}}};
  golden.outputs = {{{1, 2}, {14, 42}, 1}};
  golden.check(graph);
  mentions(place.refusal_of(R"(["Linear"])"), "does not use: 'scale'; describe their layers");
  CHECK(place.refusal("{" + kInput + R"(, "layers": ["Linear"], "ignore": ["scale"]})").empty());
}

TEST_CASE("a VAE's sample is an operator, or an input") {
  const Place place;
  const std::string network = "{" + kInput + R"(, "layers": ["Linear",
      {"type": "chunk", "name": "parts", "chunks": 2, "dim": 1},
      {"type": "sample", "from": ["parts.0", "parts.1"]}]})";
  converter::ImportOptions options = place.options(network);
  const converter::Graph drawn = converter::import_with_batch(place.path(), options);
  CHECK(drawn.inputs.size() == 1);
  CHECK(drawn.any_batch);
  options.noise = converter::NoiseHandling::kInput;
  const converter::Graph given = converter::import_with_batch(place.path(), options);
  CHECK(given.any_batch);
  REQUIRE(given.inputs.size() == 2);
  CHECK(given.inputs[1].name == "noise");
}

TEST_CASE("a part of a network") {
  std::map<std::string, GoldenTensor> weights = kLinear;
  weights["2.weight"] = {{1, 2}, {1, 1}, 1};
  const Place place(weights);
  const std::string network = "{" + kInput + R"(, "layers": ["Linear", "ReLU", "Linear"]})";
  converter::ImportOptions options = place.options(network);
  options.to = "1";
  CHECK(converter::import_file(place.path(), options).outputs.at(0).name == "1");
  options.to.clear();
  options.from = "1";
  const converter::Graph graph = converter::import_file(place.path(), options);
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.inputs[0].name == "1");
  CHECK(graph.nodes.size() == 1);
  options.from = "7";
  mentions(torch_refusal(place.path(), options), "no layer '7'");
}

TEST_CASE("weights that do not go with the description") {
  const Place place;
  mentions(place.refusal_of(R"(["Linear", "Linear"])"),
           "node '1' (Linear): the file has no tensor '1.weight', which is its weight");
  mentions(place.refusal_of(R"([{"type": "Linear", "name": "fc"}])"), "no tensor 'fc.weight'");
  mentions(place.refusal_of(R"(["Conv2d"])"), "must be N,C,H,W");
  mentions(place.refusal(R"({"inputs": [{"name": "x", "shape": ["N", 4]}], "layers": ["Linear"]})"),
           "'0.weight' has the shape 2x3, but its input has 4 features");
  converter::ImportOptions options = place.options("{" + kInput + R"(, "layers": ["Linear"]})");
  options.input_shapes["x"] = {1, 4};
  mentions(torch_refusal(place.path(), options), "4 features");
  options.input_shapes["x"] = {4};
  mentions(torch_refusal(place.path(), options), "has 2 axes");
  options.input_shapes = {{"y", {1}}};
  mentions(torch_refusal(place.path(), options), "no input 'y'");
}

TEST_CASE("descriptions that say something wrong") {
  const Place place;
  mentions(place.refusal(""), "is no JSON");
  mentions(place.refusal(std::string(300000, '[') + std::string(300000, ']')), "nested too deeply");
  mentions(place.refusal("[]"), "is no object");
  mentions(place.refusal("{\n\"a\": }"), "line 2");
  mentions(place.refusal("{}"), "no \"inputs\"");
  mentions(place.refusal("{" + kInput + "}"), "no \"layers\"");
  mentions(place.refusal("{" + kInput + R"(, "layer": []})"), "unknown \"layer\"");
  mentions(place.refusal_of("3"), "no list");
  mentions(place.refusal_of("[3]"), "neither a text nor an object");
  mentions(place.refusal_of("[{}]"), "without a \"type\"");
  mentions(place.refusal_of(R"(["Nonsense"])"), "type 'Nonsense', which is no layer of torch.nn");
  mentions(place.refusal_of(R"([{"type": "Linear", "strid": 1}])"), "no argument 'strid'");
  mentions(place.refusal_of(R"(["PixelShuffle"])"), "lacks its argument 'upscale_factor'");
  mentions(place.refusal_of(R"([{"type": "Linear", "from": "y"}])"), "reads 'y'");
  mentions(place.refusal_of(R"([{"type": "Linear", "from": 3}])"), "\"from\"");
  mentions(place.refusal_of(R"([{"type": "softmax", "dim": "a"}])"), "must be a whole number");
  mentions(place.refusal_of(R"([{"type": "softmax", "dim": 7}])"), "outside");
  mentions(place.refusal_of(R"([{"type": "softmax", "dim": "$a"}])"), "no argument of a block");
  mentions(place.refusal_of(R"([{"type": "view", "shape": ["a.weight[0]"]}])"), "no tensor");
  mentions(place.refusal_of(R"([{"type": "view", "shape": ["N", 5]}])"), "the shape 1x5");
  mentions(place.refusal_of(R"([{"type": "add", "from": ["x", "x", "x", "x"]}])"), "at most");
  mentions(place.refusal_of(R"([{"type": "ReLU", "repeat": 1000000}])"), "no sensible number");
  mentions(place.refusal_of(R"([{"type": "randn_like"}, {"type": "rand_like"}])"),
           "random functions");
  mentions(
      place.refusal("{" + kInput + R"(, "blocks": {"A": {"layers": ["A"]}}, "layers": ["A"]})"),
      "does one use itself?");
  mentions(place.refusal("{" + kInput + R"(, "blocks": {
      "A": {"layers": [{"type": "B", "repeat": 999}]}, "B": {"layers": [{"type": "C", "repeat": 999}]},
      "C": {"layers": []}}, "layers": ["A"]})"),
           "more than 20000 layers");
  mentions(place.refusal("{" + kInput + R"(, "blocks": {"A": {"layers": []}},
      "layers": [{"type": "A", "b": 1}]})"),
           "no argument 'b'");
  mentions(place.refusal("{" + kInput + R"(, "layers": ["Linear"], "outputs": ["y"]})"),
           "reads 'y'");
  mentions(place.refusal(R"({"inputs": [{"name": "x", "shape": ["N", 0]}], "layers": []})"),
           "no positive number");
}

TEST_CASE("networks by name") {
  const Place place;
  converter::ImportOptions options;
  options.network = "no-such-network";
  mentions(torch_refusal(place.path(), options), "ships with figment (conditional-wgan-gp, ");
  // Weights of no network that ships are described in the sentence.
  mentions(torch_refusal(place.path()), "('0.bias' 2, '0.weight' 2x3), of no network");
  CHECK(converter::shipped_networks().size() >= 14);
}

TEST_CASE("a damaged description is refused or is another one") {
  const Place place;
  const std::string whole = "{" + kInput + R"(, "blocks": {"A": {"arguments": {"p": 1},
      "layers": [{"type": "pad", "pad": ["$p", 1]}]}},
      "layers": ["Linear", {"type": "A", "p": 2, "repeat": 2}, {"type": "view", "shape": ["N", -1, 1]}],
      "outputs": [{"name": "y"}]})";
  CHECK(place.refusal(whole).empty());
  for (std::size_t length = 0; length < whole.size(); length += 5)
    CHECK(!place.refusal(whole.substr(0, length)).empty());
  std::mt19937 random(9);
  for (int round = 0; round < 250; ++round) {
    std::string text = whole;
    for (int change = 0; change < 1 + round % 3; ++change)
      text[random() % text.size()] = static_cast<char>(32 + random() % 95);
    place.refusal(text);
  }
}

}  // namespace figment::testing
