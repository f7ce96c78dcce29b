// Networks' descriptions: those that ship, those in files, and which one fits a file of weights.
#include "converter/import/torch/network.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "converter/import/json_text.h"
#include "converter/import/torch/network_importer.h"

namespace figment::converter {
namespace {

using Json = NetworkImporter::Json;

constexpr std::streamoff kMostText = 1 << 20;

Json parse(const std::string& text, const std::string& name) {
  try {
    check_json(text, "the network's description " + name, true);
    Json json = Json::parse(text, nullptr, true, true);
    if (!json.is_object())
      throw ConvertError("the network's description " + name + " is no object");
    return json;
  } catch (const nlohmann::json::parse_error& error) {
    // "... at line 3, column 5: syntax error ..."
    std::string where = error.what();
    if (const std::size_t at = where.find("line "); at != std::string::npos)
      where = where.substr(at);
    throw ConvertError("the network's description " + name + " is no JSON: " + where);
  }
}

}  // namespace

std::string read_network(const std::filesystem::path& network) {
  std::string names;
  for (const NetworkText& shipped : shipped_networks()) {
    if (network == shipped.name) return shipped.text;
    names += (names.empty() ? "" : ", ") + std::string(shipped.name);
  }
  std::ifstream file(network, std::ios::binary | std::ios::ate);
  std::error_code error;
  if (!file || !std::filesystem::is_regular_file(network, error))
    throw ConvertError("the network '" + network.string() +
                       "' is neither a file nor one that ships with figment (" + names + ")");
  const std::streamoff size = file.tellg();
  if (size > kMostText)
    throw ConvertError("'" + network.string() +
                       "' has more than 1 MB, which is no network's description");
  std::string text(static_cast<std::size_t>(std::max<std::streamoff>(size, 0)), '\0');
  file.seekg(0);
  if (!file.read(text.data(), size))
    throw ConvertError("'" + network.string() + "' cannot be read");
  return text;
}

std::string network_key(const std::string& text, const std::string& name) {
  const Json description = parse(text, name);
  const auto key = description.find("key");
  return key != description.end() && key->is_string() ? key->get<std::string>() : std::string();
}

bool chosen_by_weights(const std::string& text) {
  const Json description = parse(text, "");
  const auto found = description.find("automatic");
  return found == description.end() || *found != false;
}

Graph import_network(const std::string& text, const std::string& name,
                     const TorchStorages& storages, const TorchNames& names,
                     const ImportOptions& options) {
  const Json description = parse(text, name);
  return NetworkImporter(description, storages, names, options).import();
}

}  // namespace figment::converter
