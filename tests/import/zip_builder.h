// ZIP archives that tests write.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace figment::testing {

enum class Packing { kStored, kDeflated };

// Writes an archive of (name, bytes) to `path`; a name may stand in it twice.
void write_zip(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, std::string>>& parts,
               Packing packing = Packing::kStored);

}  // namespace figment::testing
