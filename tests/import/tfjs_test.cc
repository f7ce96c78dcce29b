// TensorFlow.js's files give what TensorFlow.js computes; goldens/tfjs_goldens.mjs made them.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "converter/import/format.h"
#include "tests/import/goldens.h"

using namespace figment::converter;
using namespace figment::testing;

namespace {

std::filesystem::path model_path(const std::string& name) { return golden_path("tfjs/" + name); }

void check_model(const std::string& name, const ImportOptions& options = {}) {
  check_golden(model_path(name + ".json"), read_golden(model_path(name + ".txt")), options);
}

}  // namespace

TEST_CASE("layers over pictures") { check_model("pictures"); }
TEST_CASE("layers over sequences") { check_model("sequence"); }

TEST_CASE("a decoder with a label, a model inside it, and weights of each storage") {
  check_model("decoder");
  check_model("decoder_uint8");
  check_model("decoder_uint16");
}

TEST_CASE("every operator of a graph, with shapes that it computes") {
  check_model("graph");
  const Graph graph = import_with_batch(model_path("graph.json"), {});
  CHECK(graph.inputs[0].name == "picture");
  CHECK(graph.outputs[0].name == "output_0");
}

TEST_CASE("a part of a graph and of layers") {
  ImportOptions options;
  options.from = "sum";
  options.to = "dense";
  const Graph dense = import_with_batch(model_path("graph.json"), options);
  REQUIRE(dense.inputs.size() == 1);
  CHECK(dense.inputs[0].name == "sum");
  CHECK(describe(dense.tensor(dense.inputs[0].tensor).shape) == "1x4");
  CHECK(dense.outputs[0].name == "dense");
  CHECK(dense.nodes.size() == 2);
  std::swap(options.from, options.to);
  CHECK(refusal_of(model_path("graph.json"), options).find("is not before") != std::string::npos);
  options = {};
  options.to = "nowhere";
  CHECK(refusal_of(model_path("graph.json"), options).find("no node 'nowhere'") !=
        std::string::npos);
  CHECK(refusal_of(model_path("decoder.json"), options).find("'nowhere'") != std::string::npos);
}

TEST_CASE("weights stand beside the model, and nowhere else") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "figment_tfjs_weights";
  std::filesystem::create_directories(folder);
  const auto with_path = [&](const std::string& path) {
    std::ofstream(folder / "model.json")
        << R"({"modelTopology": {"class_name": "Sequential", "config": []}, "weightsManifest": )"
        << R"([{"paths": [")" << path << R"("], "weights": []}]})";
    return refusal_of(folder / "model.json");
  };
  CHECK(with_path("/etc/passwd").find("not in its own folder") != std::string::npos);
  CHECK(with_path("../secret").find("not in its own folder") != std::string::npos);
  CHECK(with_path("missing.bin").find("not beside model.json") != std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a slice with two ellipses is refused") {
  // Found by flipping bits: the second would have stood for axes behind the last one.
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "figment_tfjs_ellipses";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(model_path("graph.bin"), folder / "graph.bin",
                             std::filesystem::copy_options::overwrite_existing);
  std::ifstream stream(model_path("graph.json"));
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  const std::string mask = R"("ellipsis_mask":{"i":"0"})";
  text.replace(text.rfind(mask), mask.size(), R"("ellipsis_mask":{"i":"3"})");
  std::ofstream(folder / "model.json") << text;
  CHECK(refusal_of(folder / "model.json").find("ellipsis_mask") != std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_CASE("damaged files end in a sentence") {
  check_damage(model_path("decoder.json"), 150, 30);
  check_damage(model_path("graph.json"), 150, 20);
}

TEST_CASE("other people's files") {
  const std::filesystem::path folder =
      std::filesystem::path(FIGMENT_SOURCE_DIR) / "../shared/models";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: the folder of other people's models is not here");
    return;
  }
  const auto check = [&](const std::string& kind, const std::string& name,
                         const ImportOptions& options = {}) {
    check_golden(folder / kind / name / "model.json", read_golden(model_path(name + ".txt")),
                 options, 1e-3);
  };
  check("tfjs-graph", "vae-explainer-encoder");
  check("tfjs-graph", "vae-explainer-decoder");
  check("tfjs-layers", "ml5-cvae-quickdraw");
  CHECK(refusal_of(folder / "tfjs-layers/esrgan-slim-x4/model.json").find("--input LR=1x64x64x3") !=
        std::string::npos);
  ImportOptions options;
  options.input_shapes["LR"] = {1, 12, 10, 3};
  check("tfjs-layers", "esrgan-slim-x4", options);
}
