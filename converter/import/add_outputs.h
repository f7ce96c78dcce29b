// What every importer does at the end: names the graph's outputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

// Makes each output a tensor of its own (neither an input handed through nor another output) with a
// name of its own, and drops what no output needs. Throws ConvertError.
void add_outputs(Graph& graph, const std::vector<std::pair<std::string, TensorId>>& outputs);

}  // namespace figment::converter
