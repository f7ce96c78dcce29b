// Weights of an archive that is refused have not been unpacked.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>

#include "converter/import/import.h"
#include "tests/import/torch/golden_case.h"
#include "tests/import/zip_builder.h"
#include "tests/limits/heap_watch.h"

namespace figment::testing {
namespace {

constexpr std::uint32_t kRows = 1 << 20;

std::string little(std::uint32_t number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

std::string text(const std::string& letters) {
  return "X" + little(static_cast<std::uint32_t>(letters.size())) + letters;
}

// The pickle of {"0.weight": a tensor [kRows, 3] of the storage "0"}.
std::string pickle() {
  using std::string_literals::operator""s;
  return "\x80\x02}"s + text("0.weight") + "ctorch._utils\n_rebuild_tensor_v2\n((" +
         text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "J" +
         little(3 * kRows) + "tQK\x00J"s + little(kRows) + "K\x03\x86K\x03K\x01\x86\x89" +
         "ccollections\nOrderedDict\n)RtRs.";
}

// A quarter of it noise, which does not pack.
std::string numbers() {
  std::string bytes(std::size_t{kRows} * 3 * sizeof(float), '\0');
  std::uint32_t state = 1;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    if (at / 1024 % 4 == 0) bytes[at] = static_cast<char>((state = state * 1664525 + 7) >> 24);
  return bytes;
}

}  // namespace

TEST_CASE("packed weights of a network that is not known to the end") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "model.pt";
  write_zip(path, {{"model/data.pkl", pickle()}, {"model/data/0", numbers()}}, Packing::kDeflated);
  const auto bytes = std::filesystem::file_size(path);
  REQUIRE(bytes * 5 / 2 < std::size_t{kRows} * 3 * sizeof(float));
  converter::ImportOptions options;
  options.network = folder.path() / "network.json";
  const auto describe = [&](const std::string& more) {
    std::ofstream(options.network)
        << R"({"inputs": [{"name": "x", "shape": ["N", 3]}], "layers": ["Linear")" << more << "]}";
  };
  describe("");
  const converter::Graph graph = converter::import_file(path, options);
  REQUIRE(graph.nodes.size() >= 1);
  describe(R"(, "Nonsense")");
  std::string sentence;
  HeapWatch heap;
  try {
    converter::import_file(path, options);
  } catch (const converter::ConvertError& error) {
    sentence = error.what();
  }
  CHECK(heap.peak_bytes() <= bytes);
  CHECK(sentence.find("Nonsense") != std::string::npos);
}

}  // namespace figment::testing
