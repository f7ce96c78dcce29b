// TorchScript archives, against what PyTorch itself computes.
#include "converter/import/torch/script.h"

#include <doctest/doctest.h>

#include "converter/import/zip_file.h"
#include "tests/import/torch/golden_case.h"
#include "tests/import/zip_builder.h"

namespace figment::testing {
namespace {

std::filesystem::path archive(const std::string& name) {
  return torch_goldens() / "functions" / (name + ".pt");
}

converter::ImportOptions with_shape(const char* name, std::vector<std::int64_t> shape) {
  converter::ImportOptions options;
  options.input_shapes[name] = std::move(shape);
  return options;
}

bool mentions(const std::string& sentence, const char* what) {
  return sentence.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("functions compute what PyTorch's do") {
  for (const std::string name :
       {"activations", "arithmetic", "shapes", "pictures", "signals", "normalizations", "products",
        "recurrent", "generator", "frozen"}) {
    CAPTURE(name);
    const GoldenCase golden = read_golden_cases(archive(name).replace_extension(".json")).front();
    try {
      golden.check(converter::import_file(archive(name), golden.options()));
    } catch (const converter::ConvertError& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
}

TEST_CASE("a traced generator takes any batch") {
  const converter::Graph graph =
      converter::import_with_batch(archive("generator"), with_shape("z", {1, 3}));
  CHECK(graph.any_batch);
  CHECK(graph.outputs.at(0).name == "output");
}

TEST_CASE("a label's input holds whole numbers") {
  converter::ImportOptions options = with_shape("x", {1, 3});
  options.input_shapes["label"] = {1};
  const converter::Graph graph = converter::import_file(archive("products"), options);
  CHECK(graph.tensor(graph.inputs.at(0).tensor).type == DataType::kFloat32);
  CHECK(graph.tensor(graph.inputs.at(1).tensor).type == DataType::kInt32);
}

TEST_CASE("parts of a traced model") {
  converter::ImportOptions options = with_shape("z", {1, 3});
  options.from = "dense";
  options.to = "norm";
  const converter::Graph graph = converter::import_file(archive("generator"), options);
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.inputs[0].name == "dense");
  CHECK(graph.outputs.at(0).name == "norm");
  options.to = "nothing";
  CHECK(mentions(torch_refusal(archive("generator"), options), "has no module 'nothing'"));
}

TEST_CASE("what a graph cannot be is refused in one sentence") {
  CHECK(
      mentions(torch_refusal(archive("generator")), "does not say the shapes of its inputs ('z')"));
  CHECK(mentions(torch_refusal(archive("generator"), with_shape("y", {1})), "no input 'y'"));
  CHECK(mentions(torch_refusal(archive("generator"), with_shape("z", {1, 4})), "4 features"));
  CHECK(mentions(torch_refusal(archive("control_flow"), with_shape("x", {1, 3})),
                 "control flow ('if')"));
  CHECK(mentions(torch_refusal(archive("writes"), with_shape("x", {1, 3})),
                 "writes into a part of a tensor (fill_)"));
  CHECK(mentions(torch_refusal(archive("training"), with_shape("input", {1, 3})),
                 "call model.eval()"));
}

namespace {

// The sentence with which an archive is refused after `added` was put behind `before` in its code.
std::string refusal_of_edited(const std::string& name, const std::string& before,
                              const std::string& added, const converter::ImportOptions& options) {
  const converter::ZipFile zip(archive(name));
  std::vector<std::pair<std::string, std::string>> parts;
  int changed = 0;
  for (const auto& entry : zip.entries()) {
    const std::vector<std::byte> bytes = zip.read(entry.name);
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (const std::size_t at = text.find(before); at != std::string::npos) {
      text.insert(at + before.size(), added);
      ++changed;
    }
    parts.emplace_back(entry.name, std::move(text));
  }
  REQUIRE(changed == 1);
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write(name + ".pt", "");
  write_zip(path, parts);
  return torch_refusal(path, options);
}

}  // namespace

TEST_CASE("code that would take far more room or time than the file is refused") {
  converter::ImportOptions options = with_shape("x", {1, 3});
  options.input_shapes["label"] = {1};
  CHECK(mentions(refusal_of_edited("products", "torch.one_hot(input, ", "99999999", options),
                 "too many numbers"));
  std::string results;
  for (int index = 0; index < 2000; ++index) results += "_0, ";
  CHECK(mentions(refusal_of_edited("products", "_9 = (", results, options),
                 "has more than 1000 results"));
  CHECK(mentions(refusal_of_edited("products", "_9 = (", std::string(300'000, ' '), options),
                 "is larger than a network's"));
  const std::string refusal =
      refusal_of_edited("products", "c__torch__", std::string(5000, 'a'), options);
  CHECK(mentions(refusal, "too long a name"));
  CHECK(refusal.size() < 200);
}

}  // namespace figment::testing
