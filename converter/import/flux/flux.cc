// Reads models of Flux.jl.
#include "converter/import/flux/flux.h"

#include <array>
#include <cstring>
#include <fstream>
#include <string_view>

#include "converter/import/flux/bson_julia.h"
#include "converter/import/flux/flux_importer.h"
#include "converter/import/flux/jld2_julia.h"

namespace figment::converter {
namespace {

Graph import(const std::filesystem::path& path, const ImportOptions& options,
             void (*read)(JuliaFile&)) {
  JuliaFile file(path);
  read(file);
  return FluxImporter(file, options).import();
}

}  // namespace

bool looks_like_bson(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  std::array<char, 64> head{};
  file.read(head.data(), head.size());
  if (error || file.gcount() < 8) return false;
  std::int32_t length = 0;
  std::memcpy(&length, head.data(), 4);
  // A file that was cut off says that it is longer.
  if (length < 0 || static_cast<std::uintmax_t>(length) < size) return false;
  const std::string_view types("\x01\x02\x03\x04\x05\x08\x0a\x10\x12", 9);
  if (types.find(head[4]) == std::string_view::npos) return false;
  const std::string_view rest(head.data() + 5, static_cast<std::size_t>(file.gcount()) - 5);
  const std::string_view name = rest.substr(0, rest.find('\0'));
  if (name.empty() || name.size() == rest.size()) return false;
  for (const char letter : name)
    if (static_cast<unsigned char>(letter) < 0x20) return false;
  return true;
}

bool looks_like_jld2(const std::filesystem::path& path) {
  constexpr std::string_view kText = "HDF5-based Julia Data Format";
  std::array<char, kText.size()> head{};
  std::ifstream file(path, std::ios::binary);
  return file.read(head.data(), head.size()) && std::string_view(head.data(), head.size()) == kText;
}

Graph import_flux_bson(const std::filesystem::path& path, const ImportOptions& options) {
  return import(path, options, read_bson_values);
}

Graph import_flux_jld2(const std::filesystem::path& path, const ImportOptions& options) {
  return import(path, options, read_jld2_values);
}

}  // namespace figment::converter
