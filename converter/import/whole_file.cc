// Files that importers need whole in memory.
#include "converter/import/whole_file.h"

#include <algorithm>
#include <fstream>

#include "converter/graph/graph.h"

namespace figment::converter {

std::vector<std::byte> read_whole_file(const std::filesystem::path& path) {
  const std::string name = "'" + path.string() + "'";
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw ConvertError(name + " cannot be opened; check the path");
  const std::streamoff size = file.tellg();
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::max<std::streamoff>(size, 0)));
  file.seekg(0);
  if (size <= 0 || !file.read(reinterpret_cast<char*>(bytes.data()), size))
    throw DamagedFile(name + " is empty or cannot be read; copy it again");
  return bytes;
}

}  // namespace figment::converter
