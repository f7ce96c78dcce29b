// Reads goldens of PyTorch and compares graphs with them.
#include "tests/import/torch/golden_case.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/import/run_graph.h"

namespace figment::testing {
namespace {

using Json = nlohmann::ordered_json;

GoldenTensor read_tensor(const Json& json) {
  GoldenTensor tensor;
  tensor.shape = json["shape"].get<std::vector<std::int64_t>>();
  tensor.stride = json.value("stride", 1);
  if (json.contains("values")) {
    tensor.values = json["values"].get<std::vector<float>>();
    return tensor;
  }
  // Long inputs are a pattern (torch.py, input_of).
  std::int64_t count = 1;
  for (const std::int64_t extent : tensor.shape) count *= extent;
  for (std::int64_t index = 0; index < count; ++index)
    tensor.values.push_back(static_cast<float>(index * 37 % 101 - 50) / 32);
  return tensor;
}

GoldenCase read_case(const Json& json) {
  GoldenCase made;
  made.name = json.value("name", "");
  if (json.contains("network"))
    made.network =
        json["network"].is_string() ? json["network"].get<std::string>() : json["network"].dump();
  if (json.contains("weights"))
    for (const auto& [name, weight] : json["weights"].items())
      made.weights[name] = read_tensor(weight);
  for (const auto& [name, input] : json["inputs"].items())
    made.inputs.emplace_back(name, read_tensor(input));
  for (const Json& output : json["outputs"]) made.outputs.push_back(read_tensor(output));
  return made;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "figment-torch-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
}
TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(folder_); }

std::filesystem::path TemporaryFolder::write(const std::string& name,
                                             const std::string& bytes) const {
  std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << bytes;
  return folder_ / name;
}

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::filesystem::path torch_goldens() {
  return std::filesystem::path(FIGMENT_SOURCE_DIR) / "tests/import/goldens/torch";
}

std::vector<GoldenCase> read_golden_cases(const std::filesystem::path& path) {
  const Json json = Json::parse(read_bytes(path));
  std::vector<GoldenCase> cases;
  if (json.is_array())
    for (const Json& entry : json) cases.push_back(read_case(entry));
  else
    cases.push_back(read_case(json));
  return cases;
}

converter::ImportOptions GoldenCase::options() const {
  converter::ImportOptions options;
  for (const auto& [input, tensor] : inputs) options.input_shapes[input] = tensor.shape;
  return options;
}

void GoldenCase::check(const converter::Graph& graph, int batch) const {
  std::vector<std::vector<float>> values;
  for (const converter::GraphPort& port : graph.inputs)
    for (const auto& [input, tensor] : inputs)
      if (input == port.name) values.push_back(tensor.values);
  REQUIRE(values.size() == graph.inputs.size());
  const GraphRun run = run_graph(graph, values, batch);
  REQUIRE(run.values.size() == outputs.size());
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    CAPTURE(index);
    const GoldenTensor& wanted = outputs[index];
    const std::vector<std::int64_t> shape(run.shapes[index].dims,
                                          run.shapes[index].dims + run.shapes[index].rank);
    CHECK(shape == wanted.shape);
    double worst = 0;
    std::size_t at = 0;
    for (const float value : wanted.values) {
      REQUIRE(at < run.values[index].size());
      const double difference = std::abs(run.values[index][at] - static_cast<double>(value));
      worst = std::max(worst, difference / std::max(1.0, std::abs(static_cast<double>(value))));
      at += static_cast<std::size_t>(wanted.stride);
    }
    CHECK(worst < 1e-4);
  }
}

std::string safetensors_bytes(const std::map<std::string, GoldenTensor>& weights) {
  Json header = Json::object();
  header["__metadata__"] = {{"format", "pt"}};
  std::string numbers;
  for (const auto& [name, tensor] : weights) {
    const std::size_t begin = numbers.size();
    numbers.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * 4);
    header[name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, numbers.size()}}};
  }
  const std::string text = header.dump();
  std::string bytes;
  for (int index = 0; index < 8; ++index)
    bytes += static_cast<char>(text.size() >> (8 * index) & 255);
  return bytes + text + numbers;
}

std::string torch_refusal(const std::filesystem::path& path,
                          const converter::ImportOptions& options) {
  try {
    converter::import_file(path, options);
  } catch (const converter::ConvertError& error) {
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  return {};
}

}  // namespace figment::testing
