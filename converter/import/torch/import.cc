// Which of PyTorch's layouts a file has, and which network its weights are of.
#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "converter/import/torch.h"
#include "converter/import/torch/network.h"
#include "converter/import/torch/script.h"
#include "converter/import/torch/tensors.h"
#include "converter/import/torch/weights.h"
#include "converter/import/zip_file.h"

namespace figment::converter {
namespace {

// The first entry's name, which is there even when the archive's list, at its end, is cut off.
std::string first_entry(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 30> header = {};
  if (!file.read(header.data(), header.size())) return {};
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(header[26])) |
                      static_cast<std::size_t>(static_cast<unsigned char>(header[27])) << 8;
  std::string name(std::min<std::size_t>(length, 1000), '\0');
  file.read(name.data(), static_cast<std::streamsize>(name.size()));
  name.resize(static_cast<std::size_t>(file.gcount()));
  return name;
}

// The one shipped network that has these very weights.
Graph import_fitting(const TorchStorages& storages, const TorchNames& names,
                     const ImportOptions& options) {
  const NetworkText* chosen = nullptr;
  std::string fitting;
  ImportOptions whole = options;
  whole.from.clear();
  whole.to.clear();
  whole.input_shapes.clear();
  whole.batch = 1;
  for (const NetworkText& network : shipped_networks()) {
    if (!chosen_by_weights(network.text)) continue;
    try {
      import_network(network.text, network.name, storages, names, whole);
    } catch (const ConvertError&) {
      continue;
    }
    chosen = &network;
    fitting += (fitting.empty() ? "" : ", ") + std::string(network.name);
  }
  if (fitting.find(',') != std::string::npos)
    throw ConvertError(
        storages.file() +
        " holds weights that go with several networks; give one with --network: " + fitting);
  if (chosen == nullptr)
    throw ConvertError(storages.file() + " holds weights alone (" + summarize(names) +
                       "), of no network that ships with figment; describe it with --network "
                       "FILE.json, or save the model with torch.jit.save(torch.jit.trace(...))");
  return import_network(chosen->text, chosen->name, storages, names, options);
}

Graph import_weights(const TorchStorages& storages, const TorchNames& names,
                     const std::string& network, const ImportOptions& options) {
  if (names.empty()) throw ConvertError(storages.file() + " holds no tensors");
  if (options.network.empty()) return import_fitting(storages, names, options);
  return import_network(network, "'" + options.network.string() + "'", storages, names, options);
}

std::string network_of(const ImportOptions& options) {
  return options.network.empty() ? std::string() : read_network(options.network);
}

Graph import_checkpoint(const TorchCheckpoint& checkpoint, const ImportOptions& options) {
  const std::string network = network_of(options);
  const std::string key =
      network.empty() ? "" : network_key(network, "'" + options.network.string() + "'");
  const TorchNames names = find_state_dict(checkpoint.pickle, checkpoint.storages->file(), key);
  return import_weights(*checkpoint.storages, names, network, options);
}

bool is_script(const std::filesystem::path& path) {
  const ZipFile zip(path);
  return zip.find(torch_folder(zip) + "constants.pkl") != nullptr;
}

}  // namespace

bool looks_like_torch(const std::filesystem::path& path) {
  if (is_legacy_checkpoint(path)) return true;
  if (!is_zip(path)) return false;
  const std::string name = first_entry(path);
  const std::size_t slash = name.find('/');
  const std::string_view part =
      slash == std::string::npos ? std::string_view() : std::string_view(name).substr(slash + 1);
  for (const char* whole : {"data.pkl", "version", "byteorder", "constants.pkl", ".format_version"})
    if (part == whole) return true;
  for (const char* folder : {"data/", ".data/", "code/", "extra/"})
    if (part.starts_with(folder)) return true;
  try {
    return !torch_folder(ZipFile(path)).empty();
  } catch (const ConvertError&) {
    return false;
  }
}

Graph import_torch(const std::filesystem::path& path, const ImportOptions& options) {
  if (is_legacy_checkpoint(path)) return import_checkpoint(read_legacy_checkpoint(path), options);
  if (is_script(path)) return import_script(path, options);
  return import_checkpoint(read_zip_checkpoint(path, "data", false), options);
}

bool looks_like_safetensors(const std::filesystem::path& path) { return is_safetensors(path); }

Graph import_safetensors(const std::filesystem::path& path, const ImportOptions& options) {
  TorchNames names;
  const auto storages = read_safetensors(path, names);
  return import_weights(*storages, names, network_of(options), options);
}

}  // namespace figment::converter
