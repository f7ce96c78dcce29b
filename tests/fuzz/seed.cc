// Reads sound files and writes damaged ones.
#include "tests/fuzz/seed.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/fuzz/mutate.h"
#include "tests/fuzz/protobuf.h"
#ifdef FIGMENT_WITH_ZIP
#include "converter/import/zip_file.h"
#include "tests/import/zip_builder.h"
#endif

namespace figment::fuzz {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void read_inputs(const fs::path& golden, Seed& seed) {
  const nlohmann::json json = nlohmann::json::parse(read(golden), nullptr, false);
  if (!json.is_object() || !json.contains("inputs")) return;
  for (const auto& [name, input] : json["inputs"].items())
    seed.inputs.emplace_back(name, input["shape"].get<std::vector<std::int64_t>>());
}

void unpack(const fs::path& path, Seed& seed) {
  if (path.extension() == ".safetensors" && seed.bytes.size() >= 8) {
    std::uint64_t length = 0;
    std::memcpy(&length, seed.bytes.data(), 8);
    length = std::min<std::uint64_t>(length, seed.bytes.size() - 8);
    seed.parts = {{"header", seed.bytes.substr(8, length)},
                  {"numbers", seed.bytes.substr(8 + length)}};
  }
#ifdef FIGMENT_WITH_ZIP
  if (!converter::is_zip(path)) return;
  const converter::ZipFile archive(path);
  for (const auto& entry : archive.entries()) {
    const std::vector<std::byte> bytes = archive.read(entry.name);
    seed.parts.emplace_back(entry.name,
                            std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
#endif
}

// Puts the parts together again.
void pack(const Seed& seed, const fs::path& path, bool packed) {
  if (path.extension() == ".safetensors") {
    const std::uint64_t length = seed.parts[0].second.size();
    write(path, std::string(reinterpret_cast<const char*>(&length), 8) + seed.parts[0].second +
                    seed.parts[1].second);
    return;
  }
#ifdef FIGMENT_WITH_ZIP
  fs::remove(path);
  testing::write_zip(path, seed.parts,
                     packed ? testing::Packing::kDeflated : testing::Packing::kStored);
#else
  static_cast<void>(packed);
#endif
}

Seed read_seed(const fs::path& path) {
  Seed seed;
  seed.name = path.filename().string();
  seed.bytes = read(path);
  if (path.extension() == ".json") {
    for (const auto& each : fs::directory_iterator(path.parent_path()))
      if (each.path().extension() == ".bin" &&
          seed.bytes.find(each.path().filename().string()) != std::string::npos)
        seed.beside.emplace_back(each.path().filename().string(), read(each.path()));
  } else {
    read_inputs(fs::path(path).replace_extension(".json"), seed);
    unpack(path, seed);
  }
  return seed;
}

}  // namespace

std::vector<Seed> read_seeds(const std::vector<fs::path>& paths,
                             const std::vector<std::string>& endings) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& each : fs::recursive_directory_iterator(path))
      if (std::ranges::find(endings, each.path().extension().string()) != endings.end())
        files.push_back(each.path());
  }
  // A folder has no order of its own; the same seeds must give the same damage.
  std::ranges::sort(files);
  std::vector<Seed> seeds;
  seeds.reserve(files.size());
  for (const fs::path& file : files) seeds.push_back(read_seed(file));
  std::erase_if(seeds, [](const Seed& seed) { return seed.bytes.empty(); });
  return seeds;
}

fs::path write_whole(const Seed& seed, const fs::path& folder) {
  for (const auto& [name, bytes] : seed.beside) write(folder / name, bytes);
  write(folder / seed.name, seed.bytes);
  return folder / seed.name;
}

fs::path write_damaged(const Seed& seed, const Seed& other, const fs::path& folder,
                       std::mt19937_64& random) {
  Seed changed = seed;
  if (!seed.beside.empty() && below(4, random) == 0) {
    std::string& bytes = changed.beside[below(seed.beside.size(), random)].second;
    bytes = mutate(bytes, other.bytes, random);
    return write_whole(changed, folder);
  }
  if (!seed.parts.empty() && below(4, random) != 0) {
    std::string& bytes = changed.parts[below(seed.parts.size(), random)].second;
    const std::string& source =
        other.parts.empty() ? other.bytes : other.parts[below(other.parts.size(), random)].second;
    bytes = mutate(bytes, source, random);
    pack(changed, folder / seed.name, below(2, random) == 0);
    return folder / seed.name;
  }
  if (fs::path(seed.name).extension() == ".onnx" && below(2, random) == 0) {
    for (std::size_t left = 1 + below(2, random); left > 0; --left)
      changed.bytes = mutate_message(changed.bytes, random);
    return write_whole(changed, folder);
  }
  changed.bytes = mutate(seed.bytes, other.bytes, random);
  return write_whole(changed, folder);
}

}  // namespace figment::fuzz
