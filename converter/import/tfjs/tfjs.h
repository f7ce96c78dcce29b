// TensorFlow.js: a model.json, of layers or of a graph, and the files of weights beside it.
#pragma once

#include <filesystem>

#include "converter/import/import.h"

namespace figment::converter {

// Never throws.
bool looks_like_tfjs(const std::filesystem::path& path);
Graph import_tfjs(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
