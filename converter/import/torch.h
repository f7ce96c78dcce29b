// PyTorch's files (.pt, .pth: state dicts, checkpoints, TorchScript archives) and .safetensors.
#pragma once

#include <filesystem>

#include "converter/import/import.h"

namespace figment::converter {

// See SourceFormat (format.h).
bool looks_like_torch(const std::filesystem::path& path);
Graph import_torch(const std::filesystem::path& path, const ImportOptions& options);

bool looks_like_safetensors(const std::filesystem::path& path);
Graph import_safetensors(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
