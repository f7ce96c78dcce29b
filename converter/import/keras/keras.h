// Keras: .h5 files of Keras 1 to 3, and the .keras archives of Keras 3.
#pragma once

#include <filesystem>

#include "converter/import/import.h"

namespace figment::converter {

// An HDF5 file or ZIP archive with what Keras puts there. Never throws.
bool looks_like_keras(const std::filesystem::path& path);
Graph import_keras(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
