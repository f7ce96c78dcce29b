// A graph's outputs, and the part of it that --from and --to name.
#pragma once

#include <string>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/import/import.h"

namespace figment::converter {

// "'a', 'b'", for messages.
std::string join_quoted(const std::vector<std::string>& names);

// Refuses shapes that were given for inputs of other names. Throws ConvertError.
void check_given_shapes(const ImportOptions& options, const std::vector<std::string>& inputs);

// Every output is a tensor of its own: neither an input handed through nor another output.
void add_torch_output(Graph& graph, const std::string& name, TensorId id);

// The tensor becomes the input `name`, and what is before it goes.
void cut_before(Graph& graph, const std::string& name, TensorId id);

}  // namespace figment::converter
