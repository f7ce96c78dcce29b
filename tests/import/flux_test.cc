// Whole files of Flux.jl: what the repository's own and other people's give, and how each is told.
#include "converter/import/flux/flux.h"

#include <doctest/doctest.h>

#include <cmath>

#include "converter/import/format.h"
#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

using converter::Graph;
using converter::ImportOptions;

const std::filesystem::path kOthers = FIGMENT_SOURCE_DIR "/../shared/models";

// Imports at the batch of the golden's input, and compares every `step`-th number of each sample.
void check_golden(const std::filesystem::path& path, ImportOptions options,
                  const std::string& golden, std::size_t step = 1,
                  const char* goldens = "flux.txt") {
  CAPTURE(path.string());
  CAPTURE(golden);
  const std::vector<float> input = read_golden(golden_folder() / goldens, golden + ".input");
  const std::vector<float> expected = read_golden(golden_folder() / goldens, golden + ".output");
  options.batch = 1;
  const Graph one = converter::import_file(path, options);
  const auto sample = static_cast<std::size_t>(one.tensor(one.inputs[0].tensor).shape.elements());
  REQUIRE(input.size() % sample == 0);
  const std::size_t batch = input.size() / sample;
  options.batch = static_cast<int>(batch);
  const GraphRun run = run_graph(converter::import_file(path, options), {input});
  std::vector<double> values;
  for (std::size_t index = 0; index < batch; ++index)
    for (const std::vector<double>& output : run.values) {
      const std::size_t size = output.size() / batch;
      for (std::size_t at = 0; at < size; at += step) values.push_back(output[index * size + at]);
    }
  REQUIRE(values.size() == expected.size());
  double largest = 0;
  for (std::size_t index = 0; index < values.size(); ++index)
    largest = std::max(largest, std::fabs(values[index] - static_cast<double>(expected[index])));
  CHECK(largest < 1e-4);
}

ImportOptions shaped(const std::string& from, const std::string& place,
                     const std::vector<std::int64_t>& shape) {
  ImportOptions options = with_shape(place, shape);
  options.from = from;
  return options;
}

}  // namespace

TEST_CASE("a trained VAE from both kinds of file") {
  check_golden(golden_folder() / "flux_vae.bson", between("decoder"), "vae.decoder", 7);
  check_golden(golden_folder() / "flux_vae.jld2", {}, "vae.decoder", 7);
  check_golden(golden_folder() / "flux_vae.bson", between("encoder"), "vae.encoder");
}

TEST_CASE("many layers, from every form of file") {
  for (const char* name : {"flux_layers.bson", "flux_layers.jld2", "flux_layers_all_fields.jld2"}) {
    const std::filesystem::path path = golden_folder() / name;
    check_golden(path, shaped("model.encoder", "input", {5, 7, 3}), "layers.encoder");
    check_golden(path, shaped("model.decoder", "model.decoder.4", {3, 2, 2}), "layers.decoder");
  }
}

TEST_CASE("other people's files") {
  const std::filesystem::path zoo = kOthers / "flux-bson/fluxml-vae-mnist/model.bson";
  const std::filesystem::path vqvae = kOthers / "flux-jld2/vqvae-matteofriedrich/autoencoder.jld2";
  if (!std::filesystem::exists(zoo) || !std::filesystem::exists(vqvae)) {
    MESSAGE("skipped: the folder of other people's models is not beside the repository");
    return;
  }
  const char* goldens = "flux_others.txt";
  check_golden(zoo, between("decoder"), "zoo.decoder", 13, goldens);
  check_golden(vqvae, shaped("autoencoder.1", "input", {28, 28, 1}), "vqvae.encoder", 1, goldens);
  check_golden(vqvae, shaped("autoencoder.2", "autoencoder.2.5", {4, 4, 12}), "vqvae.decoder", 11,
               goldens);

  // The encoder's two outputs stand one after the other in the golden.
  const Graph graph = converter::import_with_batch(zoo, between("encoder"));
  CHECK(graph.any_batch);
  REQUIRE(graph.outputs.size() == 2);
  CHECK(graph.outputs[0].name == "μ");
  CHECK(graph.outputs[1].name == "logσ");
  check_golden(zoo, between("encoder"), "zoo.encoder", 1, goldens);
}

TEST_CASE("the batch stays open") {
  for (const char* name : {"flux_vae.bson", "flux_layers.bson", "flux_layers.jld2"}) {
    const bool vae = std::string(name) == "flux_vae.bson";
    const ImportOptions options =
        vae ? between("decoder") : shaped("model.encoder", "input", {5, 7, 3});
    const Graph graph = converter::import_with_batch(golden_folder() / name, options);
    CHECK(graph.any_batch);
    CHECK(graph.inputs[0].name == "input");
    CHECK(graph.outputs[0].name == "output");
  }
}

TEST_CASE("files are told by their content") {
  CHECK(converter::looks_like_bson(golden_folder() / "flux_vae.bson"));
  CHECK_FALSE(converter::looks_like_jld2(golden_folder() / "flux_vae.bson"));
  CHECK(converter::looks_like_jld2(golden_folder() / "flux_vae.jld2"));
  CHECK_FALSE(converter::looks_like_bson(golden_folder() / "flux_vae.jld2"));
  CHECK_FALSE(converter::looks_like_bson(golden_folder() / "flux.txt"));
  CHECK_FALSE(converter::looks_like_bson(golden_folder() / "none"));
  CHECK_FALSE(converter::looks_like_jld2(golden_folder() / "none"));
  // No other format takes them for its own.
  for (const char* name : {"flux_vae.bson", "flux_layers.jld2"}) {
    int found = 0;
    for (const converter::SourceFormat& format : converter::source_formats())
      found += format.looks_like(golden_folder() / name) ? 1 : 0;
    CHECK(found == 1);
  }
  const std::string bytes = read_file_text(golden_folder() / "flux_vae.bson");
  const FluxFile cut(bytes.substr(0, bytes.size() / 2));
  CHECK(converter::looks_like_bson(cut.path()));
  CHECK(cut.refusal().find("cut off or damaged") != std::string::npos);
}

}  // namespace figment::testing
