// Reads TensorFlow Lite files.
#pragma once

#include <filesystem>

#include "converter/import/import.h"

namespace figment::converter {

// See SourceFormat (converter/import/format.h).
bool looks_like_tflite(const std::filesystem::path& path);
Graph import_tflite(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
