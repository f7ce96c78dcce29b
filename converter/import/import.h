// The importers' common door: a trained file of any supported format becomes a Graph.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/graph/graph.h"

namespace figment::converter {

struct ImportOptions {
  // The extent given to every batch dimension (see import_with_batch).
  int batch = 1;
  NoiseHandling noise = NoiseHandling::kOperator;
  // Input name -> all its extents, in the source's order: fixes dimensions that the source leaves open.
  std::map<std::string, std::vector<std::int64_t>> input_shapes;
};

// Imports `path` at options.batch. The format is told by the content. Throws ConvertError.
Graph import_file(const std::filesystem::path& path, const ImportOptions& options);

// Imports `path` so that every tensor knows its batch axis: the file is imported at batch 1 and at batch 3, and a
// tensor's batch axis is the one in which the two differ. Where the file fixes the batch (the second import fails,
// or the two graphs are not the same computation), any_batch is false. Throws ConvertError.
Graph import_with_batch(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
