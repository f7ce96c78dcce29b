// TensorFlow graphs as TensorFlow.js keeps them: nodes that name the nodes they read.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "converter/import/import.h"
#include "converter/import/tfjs/tfjs_weights.h"

namespace figment::converter {

// `model` is the whole of model.json. Throws ConvertError.
Graph import_tfjs_graph(const nlohmann::json& model, const TfjsWeights& weights,
                        const ImportOptions& options);

}  // namespace figment::converter
