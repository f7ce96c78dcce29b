// Files of PyTorch that are cut off, or have damaged bytes: one sentence, or still a model.
#include <doctest/doctest.h>

#include <random>

#include "tests/import/torch/golden_case.h"

namespace figment::testing {
namespace {

constexpr char kNetwork[] =
    R"({"inputs": [{"name": "x", "shape": ["N", 3]}], "layers": ["Linear"]})";

// How often damage was noticed.
int damage(const std::filesystem::path& source, const converter::ImportOptions& options,
           int rounds) {
  const TemporaryFolder folder;
  const std::string whole = read_bytes(source);
  REQUIRE(torch_refusal(folder.write("file.pt", whole), options).empty());
  int refused = 0;
  for (std::size_t length = 0; length + 22 < whole.size(); length += 1 + whole.size() / 16) {
    CAPTURE(length);
    CHECK(!torch_refusal(folder.write("file.pt", whole.substr(0, length)), options).empty());
  }
  std::mt19937 random(13);
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = whole;
    for (int change = 0; change < 1 + round % 4; ++change)
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    if (!torch_refusal(folder.write("file.pt", bytes), options).empty()) ++refused;
  }
  return refused;
}

}  // namespace

TEST_CASE("damaged state dicts of all layouts") {
  const TemporaryFolder folder;
  converter::ImportOptions options;
  options.network = folder.write("network.json", kNetwork);
  for (const char* name : {"plain.pt", "nested.pt", "legacy.pt"}) {
    CAPTURE(name);
    CHECK(damage(torch_goldens() / "files" / name, options, 80) > 10);
  }
  const std::map<std::string, GoldenTensor> weights = {
      {"0.weight", {{2, 3}, {1, 2, 3, 4, 5, 6}, 1}}, {"0.bias", {{2}, {1, -1}, 1}}};
  CHECK(damage(folder.write("weights.safetensors", safetensors_bytes(weights)), options, 800) >
        200);
}

TEST_CASE("damaged archives of TorchScript") {
  converter::ImportOptions options;
  options.input_shapes["z"] = {1, 3};
  CHECK(damage(torch_goldens() / "functions/generator.pt", options, 100) > 25);
}

TEST_CASE("headers of safetensors that claim too much") {
  const TemporaryFolder folder;
  converter::ImportOptions options;
  options.network = folder.write("network.json", kNetwork);
  const auto refusal = [&](const std::string& header, std::size_t numbers) {
    std::string bytes;
    for (int index = 0; index < 8; ++index)
      bytes += static_cast<char>(header.size() >> (8 * index) & 255);
    return torch_refusal(
        folder.write("file.safetensors", bytes + header + std::string(numbers, '\0')), options);
  };
  const auto tensor = [](const std::string& shape, const std::string& offsets) {
    return R"({"0.weight": {"dtype": "F32", "shape": )" + shape + R"(, "data_offsets": )" +
           offsets + "}}";
  };
  CHECK(refusal(tensor("[2, 3]", "[0, 24]"), 24).empty());
  for (const std::string& header :
       {tensor("[2, 3]", "[0, 28]"), tensor("[2, 4]", "[0, 24]"),
        tensor("[4294967296, 4294967296]", "[0, 24]"), tensor("[-2, -3]", "[0, 24]"),
        tensor("[2, 3]", "[24, 0]"), tensor("[2, 3]", "[0]"), tensor("3", "[0, 24]"),
        std::string(R"({"0.weight": 3})"), std::string(R"({"0.weight": {}})"),
        std::string("{\"\"")}) {
    CAPTURE(header);
    CHECK(refusal(header, 24).find("cut off or damaged") != std::string::npos);
  }
  // Whatever walks it must not run out of stack.
  const std::string deep(300000, '['), close(300000, ']');
  CHECK(refusal(R"({"0.weight": {"dtype": )" + deep + close + "}}", 24).find("nested too deeply") !=
        std::string::npos);
  CHECK(refusal(R"({"0.weight": {"dtype": "F8", "shape": [24], "data_offsets": [0, 24]}})", 24)
            .find("not supported") != std::string::npos);
  CHECK(refusal("{" + std::string(2'000'000, '"'), 24).find("nearly all of it is a header") !=
        std::string::npos);
}

}  // namespace figment::testing
