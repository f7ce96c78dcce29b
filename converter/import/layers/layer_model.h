// Models made of layers: which layer reads which, models inside models, and the way from the inputs
// to the outputs.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "converter/import/layers/layer_node.h"
#include "converter/import/layers/layer_weights.h"

namespace figment::converter {

// Imports the model that Keras describes as {"class_name": "Functional", "config": {...}}. Throws
// ConvertError.
Graph import_layers(const nlohmann::json& model, const LayerWeights& weights,
                    const ImportOptions& options, const LayerDialect& dialect);

}  // namespace figment::converter
