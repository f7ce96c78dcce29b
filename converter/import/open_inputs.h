// Inputs of models whose source leaves extents open, and cuts through models (--from, --to).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "converter/import/import.h"

namespace figment::converter {

// The shape of the input `name`, whose source says `extents` (-1: open; none: unknown): what
// --input gives it, the options' batch for an open first one. Throws ConvertError where extents
// stay open, or --input does not fit.
Shape input_shape(const ImportOptions& options, const std::string& name,
                  std::vector<std::int64_t> extents);
// Refuses a shape that --input gives an input that the graph does not have.
void check_input_names(const ImportOptions& options, const Graph& graph);
// Refuses a --from (whose tensors are `cut`) that nothing reads.
void check_cut(const ImportOptions& options, const Graph& graph, const std::vector<TensorId>& cut,
               const std::vector<std::pair<std::string, TensorId>>& outputs);

}  // namespace figment::converter
