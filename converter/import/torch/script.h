// TorchScript archives (torch.jit.save of what torch.jit.trace gave).
#pragma once

#include <filesystem>

#include "converter/import/import.h"

namespace figment::converter {

// The graph of the archive's code. Throws ConvertError.
Graph import_script(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace figment::converter
