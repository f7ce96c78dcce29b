// Keras's files give what Keras computes; goldens/keras_goldens.py made them.
#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <string>

#include "converter/import/format.h"
#include "tests/import/goldens.h"
#include "tests/import/zip_builder.h"

using namespace figment::converter;
using namespace figment::testing;

namespace {

std::filesystem::path model_path(const std::string& name) { return golden_path("keras/" + name); }

void check_model(const std::string& name, const std::string& suffix) {
  check_golden(model_path(name + suffix), read_golden(model_path(name + ".txt")));
}

}  // namespace

TEST_CASE("activations") { check_model("activations", ".keras"); }
TEST_CASE("convolutions") { check_model("convolutions", ".keras"); }
TEST_CASE("pictures") { check_model("pictures", ".keras"); }
TEST_CASE("several inputs") { check_model("merging", ".keras"); }
TEST_CASE("sequences") { check_model("sequences", ".keras"); }
TEST_CASE("channels before the picture") { check_model("first_channels", ".keras"); }

TEST_CASE("models in both of Keras 3's formats") {
  check_model("sequential", ".keras");
  check_model("sequential_h5", ".h5");
}

TEST_CASE("the names and the layout of Keras 1") { check_model("legacy", ".h5"); }
TEST_CASE("Keras 1's recurrent layers have their weights by gate") {
  check_model("legacy_recurrent", ".h5");
}

TEST_CASE("an autoencoder of models inside a model, whose latent is drawn") {
  ImportOptions options;
  options.noise = NoiseHandling::kInput;  // zeros: the latent is the mean
  for (const auto& [name, suffix] : {std::pair{"autoencoder", ".keras"}, {"autoencoder_h5", ".h5"}})
    check_golden(model_path(std::string(name) + suffix),
                 read_golden(model_path(std::string(name) + ".txt")), options);
  // With noise as an operator, the whole has but one input.
  const Graph graph = import_with_batch(model_path("autoencoder.keras"), {});
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.inputs[0].name == "whole");
}

TEST_CASE("a part between two layers") {
  ImportOptions options;
  options.from = "latent";
  options.to = "picture";
  for (const char* name : {"autoencoder.keras", "autoencoder_h5.h5"}) {
    const Graph decoder = import_with_batch(model_path(name), options);
    REQUIRE(decoder.inputs.size() == 1);
    CHECK(decoder.inputs[0].name == "latent");
    CHECK(decoder.outputs[0].name == "picture");
    CHECK(describe(decoder.tensor(decoder.inputs[0].tensor).shape) == "1x2");
    CHECK(decoder.any_batch);
  }
  options.from = "z_mean";
  options.to = "hidden";
  CHECK(refusal_of(model_path("autoencoder.keras"), options).find("is not before") !=
        std::string::npos);
  options.from = "hidden";
  options.to = "z_mean";
  const Graph half = import_with_batch(model_path("autoencoder.keras"), options);
  CHECK(describe(half.tensor(half.inputs[0].tensor).shape) == "1x6");
  CHECK(half.outputs[0].name == "z_mean");
  options.to = "nowhere";
  CHECK(refusal_of(model_path("autoencoder.keras"), options).find("nowhere") != std::string::npos);
}

TEST_CASE("damaged files end in a sentence") {
  check_damage(model_path("sequential.keras"), 100, 20);
  check_damage(model_path("sequential_h5.h5"), 200, 30);
  check_damage(model_path("legacy.h5"), 100, 10);
}

TEST_CASE("a description that unpacks to more than the whole file is refused") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("packed" + std::to_string(std::random_device{}()) + ".keras");
  std::mt19937 random(1);
  std::string noise;
  while (noise.size() < 1200000) noise += static_cast<char>(random() % 256);
  const std::string spaces(std::size_t{3} << 20, ' ');
  write_zip(path, {{"metadata.json", "{}"}, {"config.json", spaces}, {"model.weights.h5", noise}},
            Packing::kDeflated);
  CHECK(refusal_of(path).find("is larger than the whole file") != std::string::npos);
  std::filesystem::remove(path);
}

TEST_CASE("other people's files") {
  const std::filesystem::path folder =
      std::filesystem::path(FIGMENT_SOURCE_DIR) / "../shared/models/keras-h5";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: the folder of other people's models is not here");
    return;
  }
  for (const char* name : {"tayden-vae-encoder", "mlperf-tiny-ad-autoencoder"})
    for (const auto& file : std::filesystem::directory_iterator(folder / name))
      if (file.path().extension() == ".h5")
        check_golden(file.path(), read_golden(model_path(std::string(name) + ".txt")), {}, 1e-3);
}
