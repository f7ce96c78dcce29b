// Files of JLD2, where they differ from BSON.jl's.
#include <doctest/doctest.h>

#include "converter/graph/graph.h"
#include "tests/import/flux_builder.h"

namespace figment::testing {
namespace {

converter::ImportOptions decoder() {
  converter::ImportOptions options = with_shape("model.decoder.4", {3, 2, 2});
  options.from = "model.decoder";
  return options;
}

}  // namespace

TEST_CASE("both forms of JLD2's files are the same model as BSON.jl's") {
  const std::string printed =
      print(converter::import_file(golden_folder() / "flux_layers.bson", decoder()));
  for (const char* name : {"flux_layers.jld2", "flux_layers_all_fields.jld2"})
    CHECK(print(converter::import_file(golden_folder() / name, decoder())) == printed);
}

TEST_CASE("a file of JLD2 that lacks its end or its beginning") {
  const std::string bytes = read_file_text(golden_folder() / "flux_layers.jld2");
  CHECK(FluxFile(bytes.substr(0, 100)).refusal().find("damaged") != std::string::npos);
  CHECK(FluxFile(bytes.substr(0, bytes.size() - 1)).refusal().find("cut off") != std::string::npos);
}

TEST_CASE("damaged files of JLD2") {
  for (const char* name : {"flux_layers.jld2", "flux_layers_all_fields.jld2"})
    check_damage(read_file_text(golden_folder() / name), "model.jld2", decoder());
}

}  // namespace figment::testing
