// Reads TensorFlow.js's files: model.json, and the weights beside it.
#include "converter/import/tfjs/tfjs.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <new>
#include <nlohmann/json.hpp>

#include "converter/import/json_text.h"
#include "converter/import/layers/layer_model.h"
#include "converter/import/layers/named_weights.h"
#include "converter/import/one_line.h"
#include "converter/import/tfjs/graph_model.h"
#include "converter/import/tfjs/tfjs_weights.h"

namespace figment::converter {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ConvertError("'" + path.string() + "' cannot be opened; check the path");
  return {std::istreambuf_iterator<char>(file), {}};
}

Graph import_model(const std::filesystem::path& path, const ImportOptions& options) {
  const std::string name = "'" + path.string() + "'";
  const nlohmann::json model = parse_json(read_text(path), name);
  if (!model.contains("modelTopology") || !model.at("modelTopology").is_object())
    throw DamagedFile(name + " holds weights alone, without the model they belong to");
  if (!model.contains("weightsManifest"))
    throw DamagedFile(name + " names no weights; copy it again");
  const TfjsWeights weights(model.at("weightsManifest"), path.parent_path());
  const nlohmann::json& topology = model.at("modelTopology");
  if (topology.contains("node")) return import_tfjs_graph(model, weights, options);
  // With or without Keras's own frame around it.
  const nlohmann::json& layers =
      topology.contains("model_config") ? topology.at("model_config") : topology;
  LayerDialect dialect;
  dialect.corner_bilinear = true;
  const auto source = named_weights(
      [&](const std::string& weight) { return weights.array(weight); }, weights.names());
  return import_layers(layers, *source, options, dialect);
}

}  // namespace

bool looks_like_tfjs(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if ((file >> std::ws).peek() != '{') return false;
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return text.find("\"modelTopology\"") != std::string::npos ||
         text.find("\"weightsManifest\"") != std::string::npos;
}

Graph import_tfjs(const std::filesystem::path& path, const ImportOptions& options) {
  try {
    return import_model(path, options);
  } catch (const DamagedFile& error) {
    throw DamagedFile(one_line(error.what()));
  } catch (const ConvertError& error) {
    throw ConvertError(one_line(error.what()));
  } catch (const nlohmann::json::exception&) {
    throw DamagedFile("'" + path.string() +
                      "' describes its model in an unknown way; convert it again");
  } catch (const std::bad_alloc&) {
    throw ConvertError("'" + path.string() + "' needs more memory than there is");
  }
}

}  // namespace figment::converter
