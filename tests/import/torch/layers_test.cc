// Every layer of torch.nn, against what PyTorch itself computes.
#include "tests/import/torch/golden_case.h"

#include <doctest/doctest.h>

namespace figment::testing {

TEST_CASE("layers compute what PyTorch's do") {
  const TemporaryFolder folder;
  const std::vector<GoldenCase> cases = read_golden_cases(torch_goldens() / "layers.json");
  CHECK(cases.size() > 35);
  for (const GoldenCase& golden : cases) {
    CAPTURE(golden.name);
    const auto weights = golden.weights.empty()
                             ? std::map<std::string, GoldenTensor>{{"unused", {{1}, {0}, 1}}}
                             : golden.weights;
    const auto path = folder.write("weights.safetensors", safetensors_bytes(weights));
    std::string network = golden.network;
    if (golden.weights.empty()) network.insert(1, R"("ignore": ["unused"],)");
    converter::ImportOptions options = golden.options();
    options.network = folder.write("network.json", network);
    try {
      golden.check(converter::import_file(path, options));
    } catch (const converter::ConvertError& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
}

TEST_CASE("networks that ship are found by their weights and compute what PyTorch's do") {
  const TemporaryFolder folder;
  const std::vector<GoldenCase> cases = read_golden_cases(torch_goldens() / "networks.json");
  CHECK(cases.size() == 12);
  for (const GoldenCase& golden : cases) {
    CAPTURE(golden.name);
    const auto path = folder.write("weights.safetensors", safetensors_bytes(golden.weights));
    converter::ImportOptions options = golden.options();
    try {
      golden.check(converter::import_file(path, options));
      // By name, and at any batch.
      options.network = golden.network;
      for (auto& [name, shape] : options.input_shapes) shape[0] = 1;
      const converter::Graph graph = converter::import_with_batch(path, options);
      CHECK(graph.any_batch);
      golden.check(graph, static_cast<int>(golden.inputs[0].second.shape[0]));
    } catch (const converter::ConvertError& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
}

}  // namespace figment::testing
