// Goldens of other engines, and damage to the files that they come with.
#include "tests/import/goldens.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "tests/import/run_graph.h"

namespace figment::testing {

using namespace figment::converter;

namespace {

// Of "2x3".
std::size_t elements_of(const std::string& shape) {
  std::istringstream text(shape);
  std::size_t product = 1;
  for (std::string extent; std::getline(text, extent, 'x');) product *= std::stoul(extent);
  return product;
}

}  // namespace

std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(FIGMENT_SOURCE_DIR) / "tests/import/goldens" / name;
}

Golden read_golden(const std::filesystem::path& path) {
  Golden golden;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream head(line);
    std::string kind;
    GoldenArray array;
    head >> kind >> array.name >> array.shape;
    if (!(head >> array.stride)) array.stride = 1;
    std::getline(file, line);
    std::istringstream numbers(line);
    if (line.starts_with("ramp")) {
      std::string word;
      int factor = 0, period = 1;
      numbers >> word >> factor >> period;
      array.values.resize(elements_of(array.shape));
      for (std::size_t index = 0; index < array.values.size(); ++index)
        array.values[index] = static_cast<double>(index * static_cast<std::size_t>(factor) %
                                                  static_cast<std::size_t>(period)) /
                              period;
    } else {
      array.values.assign(std::istream_iterator<double>(numbers), {});
    }
    (kind == "input" ? golden.inputs : golden.outputs).push_back(std::move(array));
  }
  REQUIRE_FALSE(golden.inputs.empty());
  REQUIRE_FALSE(golden.outputs.empty());
  return golden;
}

void check_golden(const std::filesystem::path& model, const Golden& golden,
                  const ImportOptions& options, double tolerance) {
  CAPTURE(model.string());
  const Graph graph = import_with_batch(model, options);
  CHECK(graph.any_batch);
  const int batch = std::stoi(golden.inputs[0].shape);
  std::vector<std::vector<float>> inputs;
  for (const GraphPort& port : graph.inputs) {
    const auto found = std::ranges::find_if(
        golden.inputs, [&](const auto& each) { return each.name == port.name; });
    if (found != golden.inputs.end())
      inputs.emplace_back(found->values.begin(), found->values.end());
    else
      inputs.emplace_back(
          static_cast<std::size_t>(graph.tensor(port.tensor).shape.elements() * batch), 0.0F);
  }
  const GraphRun run = run_graph(graph, inputs, batch);
  REQUIRE(run.values.size() == golden.outputs.size());
  for (std::size_t index = 0; index < run.values.size(); ++index) {
    const GoldenArray& expected = golden.outputs[index];
    CAPTURE(index);
    CAPTURE(graph.outputs[index].name);
    CHECK(describe(run.shapes[index]) == expected.shape);
    const std::vector<double>& values = run.values[index];
    REQUIRE((values.size() + expected.stride - 1) / expected.stride == expected.values.size());
    double worst = 0;
    for (std::size_t at = 0; at < expected.values.size(); ++at)
      worst = std::max(worst, std::abs(values[at * expected.stride] - expected.values[at]) /
                                  (1 + std::abs(expected.values[at])));
    CHECK(worst <= tolerance);
  }
}

std::string refusal_of(const std::filesystem::path& path, const converter::ImportOptions& options) {
  try {
    static_cast<void>(converter::import_file(path, options));
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return "imported";
}

void check_damage(const std::filesystem::path& model, int times, std::size_t most_cuts) {
  std::ifstream stream(model, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  REQUIRE_FALSE(whole.empty());
  std::mt19937 random(11);
  // Beside the model, so that a file that names others finds them.
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("damage" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(folder);
  for (const auto& each : std::filesystem::directory_iterator(model.parent_path()))
    if (each.is_regular_file() && model.extension() == ".json")
      std::filesystem::copy_file(each.path(), folder / each.path().filename());
  const std::filesystem::path path = folder / model.filename();
  const auto attempt = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    try {
      static_cast<void>(import_file(path, {}));
    } catch (const ConvertError& error) {
      const std::string sentence = error.what();
      CHECK_FALSE(sentence.empty());
      CHECK(std::ranges::none_of(sentence, [](unsigned char letter) { return letter < 0x20; }));
    }
  };
  for (std::size_t cut = 0; cut < most_cuts; ++cut)
    attempt(whole.substr(0, whole.size() * cut / most_cuts));
  for (int time = 0; time < times; ++time) {
    std::string bytes = whole;
    for (int flip = 0; flip <= time % 3; ++flip)
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << (random() % 8));
    attempt(bytes);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace figment::testing
