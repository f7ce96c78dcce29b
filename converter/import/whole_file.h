// Files that importers need whole in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace figment::converter {

// The bytes of the file. Throws ConvertError when it cannot be opened, DamagedFile when it is empty
// or cannot be read.
std::vector<std::byte> read_whole_file(const std::filesystem::path& path);

}  // namespace figment::converter
