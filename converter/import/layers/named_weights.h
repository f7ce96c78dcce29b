// Weights that are found by their names ("model/dense_1/kernel:0").
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converter/import/layers/layer_weights.h"

namespace figment::converter {

// A layer's weights are those in whose names it is a part, in the order of `names`; `read` gives a
// weight by its name and must stay callable for as long as the result lives.
std::unique_ptr<LayerWeights> named_weights(
    const std::function<LayerArray(const std::string& name)>& read, std::vector<std::string> names);

}  // namespace figment::converter
