// What of a file of Flux.jl's is a model, and how the user chooses.
#include <doctest/doctest.h>

#include "converter/graph/graph.h"
#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

Bson times(float factor) { return flux_dense(1, 1, {factor}, {}); }

double result(const FluxFile& file, const std::string& from, const std::string& to = {}) {
  return run_graph(file.import(between(from, to)), {{1}}).values.at(0).at(0);
}

}  // namespace

TEST_CASE("one model needs no name") {
  const FluxFile file({{"epoch", bson_integer(3)},
                       {"opt", julia_struct("Flux.Optimise.ADAM", {bson_number(0.1)})},
                       {"model", flux_chain({times(2), times(3)})}});
  CHECK(result(file, "") == 6);
  CHECK(result(file, "model") == 6);
}

TEST_CASE("of several the user names one") {
  const FluxFile file({{"encoder", times(2)}, {"decoder", flux_chain({times(3), times(5)})}});
  CHECK(file.refusal() ==
        "the file holds several models; name one of them with --from: encoder (Dense), decoder "
        "(Chain)");
  CHECK(result(file, "decoder") == 15);
  CHECK(file.refusal(between("generator"))
            .find("there is no 'generator' to begin from in the file; there is encoder (Dense)") ==
        0);
}

TEST_CASE("a part of a model, between two layers") {
  const FluxFile file(
      {{"net", flux_chain({times(2), flux_chain({times(3), times(5)}), times(7)})}});
  CHECK(result(file, "") == 210);
  CHECK(result(file, "net.1") == 105);  // what it gives is the input
  CHECK(result(file, "net.2.1") == 35);
  CHECK(result(file, "net.2") == 15);  // a chain by itself
  CHECK(result(file, "", "net.2.1") == 6);
  CHECK(result(file, "", "net.2") == 30);
  CHECK(result(file, "net.1", "net.2") == 15);
  CHECK(result(file, "net.2", "net.3") == 105);
  CHECK(file.refusal(between("net.3")).find("nothing comes after 'net.3'") == 0);
  CHECK(file.refusal(between("net.9")).find("there is no 'net.9' to begin from in 'net'") == 0);
  CHECK(file.refusal(between("", "net.9")).find("there is no 'net.9' to end at in 'net'") == 0);
  CHECK_FALSE(file.refusal(between("net.3", "net.1")).empty());
}

TEST_CASE("the encoder of a VAE has two outputs") {
  const Bson encoder =
      julia_struct("Main.Encoder", {flux_dense(2, 1, {1, 2}, {}, "Base.tanh"),
                                    flux_dense(1, 2, {1, 0}, {}), flux_dense(1, 2, {0, 1}, {})});
  const FluxFile file({{"encoder", encoder}});
  const converter::Graph graph = file.import();
  REQUIRE(graph.outputs.size() == 2);
  CHECK(graph.outputs[0].name == "μ");
  CHECK(graph.outputs[1].name == "logσ");
  const GraphRun run = run_graph(graph, {{0.5F}});
  check_close(run.values[0], {0.46211716});
  check_close(run.values[1], {0.76159416});
  check_close(run_graph(file.import(between("encoder.2")), {{3, 4}}).values[0], {3});
}

TEST_CASE("structs of the user's own") {
  const Bson vae = julia_struct("Main.VAE", {times(2), flux_chain({times(3), times(5)})});
  const FluxFile file({{"vae", vae}});
  CHECK(file.refusal().find("--from: vae.1 (Dense), vae.2 (Chain)") != std::string::npos);
  CHECK(file.refusal(between("vae")).find("'vae' is a struct of your own (VAE)") == 0);
  CHECK(result(file, "vae.2") == 15);
  CHECK(result(file, "vae.2.1") == 5);
  const FluxFile within({{"net", flux_chain({times(2), julia_struct("Main.Odd", {times(3)})})}});
  CHECK(within.refusal().find("node 'net.2' (Odd): ") == 0);
  CHECK(result(within, "", "net.1") == 2);
}

TEST_CASE("files without a model") {
  CHECK(FluxFile({{"params", bson_list({julia_array({1}, {1})})}})
            .refusal()
            .find("holds arrays but no layers of Flux.jl (params (list))") != std::string::npos);
  CHECK(FluxFile({{"x", bson_integer(1)}}).refusal().find("the file holds no layers") == 0);
  converter::ImportOptions network;
  network.network = "dcgan";
  CHECK(FluxFile({{"x", times(1)}}).refusal(network).find("--network is for files of weights") ==
        0);
}

TEST_CASE("names in messages stay on one line") {
  const FluxFile file({{"c", times(1)}, {"a\nb", times(1)}});
  CHECK(file.refusal().find("a?b (Dense)") != std::string::npos);
}

TEST_CASE("one array under many layers") {
  std::vector<Bson> layers;
  for (int index = 0; index < 40; ++index)
    layers.push_back(julia_struct(
        "Flux.Dense", {bson_document({{"tag", bson_text("backref")}, {"ref", bson_integer(1)}}),
                       bson_bool(false), julia_function("Base.identity")}));
  const FluxFile file(
      {{"net", flux_chain(layers)},
       {"_backrefs", bson_list({julia_array({100, 100}, std::vector<float>(10000))})}});
  CHECK(file.refusal().find("is used too often") != std::string::npos);
}

}  // namespace figment::testing
