// A graph's outputs, and the part of it that --from and --to name.
#pragma once

#include <string>

#include "converter/graph/graph.h"

namespace figment::converter {

// Every output is a tensor of its own: neither an input handed through nor another output.
void add_torch_output(Graph& graph, const std::string& name, TensorId id);

// The tensor becomes the input `name`, and what is before it goes.
void cut_before(Graph& graph, const std::string& name, TensorId id);

}  // namespace figment::converter
