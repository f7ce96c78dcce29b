// Reads TensorFlow.js's files: model.json, and the weights beside it.
#include "converter/import/tfjs/tfjs.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "converter/import/json_text.h"
#include "converter/import/layers/layer_model.h"
#include "converter/import/layers/named_weights.h"
#include "converter/import/tfjs/graph_model.h"
#include "converter/import/tfjs/tfjs_weights.h"
#include "converter/import/whole_file.h"

namespace figment::converter {

bool looks_like_tfjs(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if ((file >> std::ws).peek() != '{') return false;
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return text.find("\"modelTopology\"") != std::string::npos ||
         text.find("\"weightsManifest\"") != std::string::npos;
}

Graph import_tfjs(const std::filesystem::path& path, const ImportOptions& options) {
  const std::string name = "'" + path.string() + "'";
  const nlohmann::json model = parse_json(read_whole_file(path), name);
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

}  // namespace figment::converter
