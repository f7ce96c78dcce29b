// Reads Keras's files: a description of the layers in JSON, and their weights in HDF5.
#include "converter/import/keras/keras.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <nlohmann/json.hpp>

#include "converter/import/json_text.h"
#include "converter/import/keras/h5_weights.h"
#include "converter/import/layers/layer_model.h"
#include "converter/import/zip_file.h"

namespace figment::converter {
namespace {

// Of "2.2.4-tf"; unknown versions are taken for `otherwise`.
LayerDialect read_dialect(const std::string& version, int otherwise) {
  LayerDialect dialect;
  dialect.keras = otherwise;
  if (version.empty() || version[0] < '1' || version[0] > '9') return dialect;
  dialect.keras = version[0] - '0';
  // Keras up to 2.3 called TensorFlow 1's functions, Keras inside TensorFlow never did.
  const int minor = version.size() > 2 ? std::atoi(version.c_str() + 2) : 0;
  dialect.corner_bilinear = dialect.keras < 2 || (dialect.keras == 2 && minor <= 3 &&
                                                  version.find("tf") == std::string::npos);
  return dialect;
}

Graph import_h5(const std::filesystem::path& path, const ImportOptions& options) {
  const Hdf5File file(path);
  const auto description = file.text("/", "model_config");
  if (!description)
    throw ConvertError(file.name() +
                       " holds weights alone, without the layers they belong to; save the whole "
                       "model with model.save(...)");
  const nlohmann::json model = parse_json(*description, "model_config in " + file.name());
  const std::string group = file.is_group("/model_weights") ? "/model_weights" : "";
  std::string version = file.text("/", "keras_version").value_or("");
  if (version.empty()) version = file.text(group, "keras_version").value_or("1");
  return import_layers(model, *listed_weights(file, group), options, read_dialect(version, 2));
}

constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{1} << 20;

// A part in JSON, which becomes a few times its size in memory: parts of more than `most` bytes,
// and of more than a little, are none.
nlohmann::json read_json(const ZipFile& archive, const char* part, std::uint64_t most,
                         const std::filesystem::path& path) {
  const std::string what = std::string(part) + " in '" + path.string() + "'";
  const ZipFile::Entry* const entry = archive.find(part);
  if (entry != nullptr && entry->bytes > std::max(kAlwaysAllowed, most))
    throw DamagedFile(what + " is larger than the whole file; it is damaged: save the model again");
  return parse_json(archive.read(part), what);
}

Graph import_archive(const std::filesystem::path& path, const ImportOptions& options) {
  const ZipFile archive(path);
  const std::string name = "'" + path.string() + "'";
  const ZipFile::Entry* const packed = archive.find("model.weights.h5");
  if (packed == nullptr)
    throw DamagedFile(name + " has no weights (model.weights.h5); save the model again");
  // What the description becomes and the weights, unpacked, are there together.
  const std::uint64_t all = 4 * std::filesystem::file_size(path);
  const std::uint64_t most = (all - std::min(all, packed->bytes)) / (kJsonExpansion + 1);
  const nlohmann::json model = read_json(archive, "config.json", most, path);
  std::string version;
  if (archive.find("metadata.json") != nullptr) {
    const nlohmann::json metadata = read_json(archive, "metadata.json", 0, path);
    if (metadata.is_object() && metadata.contains("keras_version") &&
        metadata["keras_version"].is_string())
      version = metadata["keras_version"].get<std::string>();
  }
  const Hdf5File weights("model.weights.h5 in " + name, archive.read("model.weights.h5"));
  return import_layers(model, *weights_by_object(weights), options, read_dialect(version, 3));
}

bool has_keras_parts(const Hdf5File& file) {
  for (const char* attribute : {"model_config", "layer_names", "keras_version"})
    if (file.text("/", attribute) || file.texts("/", attribute)) return true;
  return file.is_group("/model_weights") || file.is_group("/layers") ||
         file.is_group("/_layer_checkpoint_dependencies");
}

}  // namespace

bool looks_like_keras(const std::filesystem::path& path) {
  try {
    if (is_zip(path)) {
      const ZipFile archive(path);
      return archive.find("config.json") != nullptr &&
             (archive.find("metadata.json") != nullptr ||
              archive.find("model.weights.h5") != nullptr);
    }
    // Other programs' files (Julia's .jld2) begin with a block of their own.
    if (!Hdf5File::looks_like(path) || !Hdf5File::begins(path)) return false;
    try {
      return has_keras_parts(Hdf5File(path));
    } catch (const DamagedFile&) {
      return true;  // as far as can be told
    }
  } catch (const std::exception&) {
    return false;
  }
}

Graph import_keras(const std::filesystem::path& path, const ImportOptions& options) {
  return is_zip(path) ? import_archive(path, options) : import_h5(path, options);
}

}  // namespace figment::converter
