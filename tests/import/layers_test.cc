// What descriptions of layers say beyond what engines can run: code, unknown layers, broken models.
// They stand in model.json files without weights.
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "converter/import/import.h"
#include "tests/import/run_graph.h"

using namespace figment::converter;
using namespace figment::testing;

namespace {

Graph import_text(const std::string& model, const ImportOptions& options = {}) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / "figment_layers_test.json";
  std::ofstream(path) << R"({"modelTopology": )" << model << R"(, "weightsManifest": []})";
  try {
    Graph graph = import_with_batch(path, options);
    std::filesystem::remove(path);
    return graph;
  } catch (...) {
    std::filesystem::remove(path);
    throw;
  }
}

std::string refusal(const std::string& model, const ImportOptions& options = {}) {
  try {
    static_cast<void>(import_text(model, options));
  } catch (const ConvertError& error) {
    return error.what();
  }
  return "imported";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string input(const std::string& name, const std::string& shape) {
  return R"({"class_name": "InputLayer", "name": ")" + name +
         R"(", "inbound_nodes": [], "config": )" + R"({"name": ")" + name +
         R"(", "batch_input_shape": [null, )" + shape + "]}}";
}

// A layer that is called on `sources`, comma between them.
std::string layer(const std::string& class_name, const std::string& name, const std::string& config,
                  const std::vector<std::string>& sources) {
  std::string calls;
  for (const std::string& source : sources)
    calls += std::string(calls.empty() ? "" : ", ") + R"([")" + source + R"(", 0, 0, {}])";
  return R"({"class_name": ")" + class_name + R"(", "name": ")" + name +
         R"(", "config": {"name": ")" + name + "\"" + (config.empty() ? "" : ", " + config) +
         R"(}, "inbound_nodes": [[)" + calls + "]]}";
}

std::string functional(const std::vector<std::string>& layers, const std::string& output) {
  std::string all;
  for (const std::string& each : layers) all += std::string(all.empty() ? "" : ", ") + each;
  return R"({"class_name": "Model", "config": {"name": "model", "layers": [)" + all +
         R"(], "input_layers": [], "output_layers": [[")" + output + R"(", 0, 0]]}})";
}

// A latent drawn by this layer, and a layer behind it.
std::string sampler(const std::string& class_name, const std::string& config) {
  return functional(
      {input("mean", "3"), input("log_var", "3"),
       layer(class_name, "z", config, {"mean", "log_var"}), layer("ReLU", "after", "", {"z"})},
      "after");
}

}  // namespace

TEST_CASE("the usual sampling is recognised: by its class, its function's name, or its code") {
  // Code in Python's marshal format: "random_normal", "exp" and the number 0.5.
  const std::string code = "cmFuZG9tX25vcm1hbCBleHAgZwAAAAAAAOA/";  // random_normal exp g 0.5
  for (const std::string& model :
       {sampler("Sampling", ""), sampler("vae>SamplingLayer", ""),
        sampler("Lambda", R"("function": "sampling", "function_type": "function")"),
        sampler("Lambda",
                R"("function": [")" + code + R"(", null, null], "function_type": "lambda")"),
        sampler("Lambda", R"("function": {"class_name": "__lambda__", "config": {"code": ")" +
                              code + R"("}})")}) {
    ImportOptions options;
    options.noise = NoiseHandling::kInput;
    const Graph graph = import_text(model, options);
    REQUIRE(graph.inputs.size() == 3);
    const GraphRun run = run_graph(graph, {{0, 1, -1}, {0, 2, 0}, {2, 1, 0.5F}});
    CHECK(run.values[0][0] == doctest::Approx(2));
    CHECK(run.values[0][1] == doctest::Approx(1 + 2.718281828));
    CHECK(run.values[0][2] == doctest::Approx(0));
    CHECK(import_text(model).inputs.size() == 2);
  }
}

TEST_CASE("other code is refused with how to cut the model there, and the cut works") {
  const std::string model = sampler("Lambda", R"("function": ["bGFtYmRhIHg6IHg=", null, null])");
  const std::string sentence = refusal(model);
  CHECK(has(sentence, "node 'z' (Lambda)"));
  CHECK(has(sentence, "--from z"));
  ImportOptions options;
  options.from = "z";
  const Graph graph = import_text(model, options);
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.inputs[0].name == "z");
  CHECK(describe(graph.tensor(graph.inputs[0].tensor).shape) == "1x3");
  CHECK(has(refusal(sampler("Mystery", "")), "node 'z' (Mystery)"));
}

TEST_CASE("models that do not hold together are refused") {
  const std::string x = input("x", "4");
  CHECK(has(
      refusal(functional({x, layer("ReLU", "a", "", {"b"}), layer("ReLU", "b", "", {"a"})}, "b")),
      "reads its own output"));
  CHECK(has(refusal(functional({x, layer("ReLU", "a", "", {"gone"})}, "a")), "'gone'"));
  CHECK(has(refusal(functional({x, layer("ReLU", "a", "", {"x"})}, "gone")), "'gone'"));
  CHECK(has(refusal(functional({x, layer("Dense", "a", R"("units": 2)", {"x"})}, "a")), "missing"));
  CHECK(
      has(refusal(functional({x, layer("Reshape", "a", R"("target_shape": [3, -5])", {"x"})}, "a")),
          "node 'a' (Reshape)"));
  CHECK(
      has(refusal(functional({x, layer("Activation", "a", R"("activation": "mine")", {"x"})}, "a")),
          "'mine'"));
  CHECK(has(refusal(functional({input("x", "null"), layer("ReLU", "a", "", {"x"})}, "a")),
            "--input x=1x64"));
  CHECK(has(refusal(R"({"class_name": "Sequential", "config": []})"), "names no layers"));
  CHECK(
      has(refusal(R"({"class_name": "Sequential", "config": {"layers": 7}})"), "names no layers"));
}

TEST_CASE("a model that calls models again and again comes to an end") {
  // Each calls the one inside it ten times, one after another.
  std::string inner = functional({input("x", "4"), layer("ReLU", "r", "", {"x"})}, "r");
  for (int level = 0; level < 8; ++level) {
    std::string calls = R"([["x", 0, 0, {}]])";
    for (int call = 0; call < 9; ++call)
      calls += R"(, [["inner", )" + std::to_string(call) + ", 0, {}]]";
    inner.insert(inner.size() - 1, R"(, "name": "inner", "inbound_nodes": [)" + calls + "]");
    std::string outer = R"({"class_name": "Model", "config": {"name": "m", "layers": [)";
    outer += input("x", "4") + ", ";
    outer += inner;
    outer += R"(], "input_layers": [["x", 0, 0]], "output_layers": [["inner", 9, 0]]}})";
    inner = std::move(outer);
    // The input of each model inside is its own.
    for (std::size_t at = 0; (at = inner.find(R"("input_layers": [])", at)) != std::string::npos;)
      inner.replace(at, 18, R"("input_layers": [["x", 0, 0]])");
  }
  CHECK(has(refusal(inner), "times"));
}

TEST_CASE("deep nesting ends in a sentence") {
  CHECK(has(refusal(std::string(100'000, '[') + std::string(100'000, ']')), "deep"));
}
