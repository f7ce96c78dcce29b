// What a model says of itself besides its graph: guessed where the user does not say.
#pragma once

#include "converter/convert.h"

namespace figment::converter {

// Kind, prior and reading of the first output, from `options` where given, else from the graph's
// shapes, its last activation and the model's name. `graph` has gone through all passes.
ModelFacts describe_model(const Graph& graph, const ConvertOptions& options);

}  // namespace figment::converter
