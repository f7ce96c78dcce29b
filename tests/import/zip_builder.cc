// Writes ZIP archives with Minizip.
#include "tests/import/zip_builder.h"

#include <minizip/zip.h>

#include <stdexcept>

namespace figment::testing {

void write_zip(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, std::string>>& parts, Packing packing) {
  void* const archive = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  if (archive == nullptr) throw std::runtime_error("cannot write " + path.string());
  bool whole = true;
  for (const auto& [name, bytes] : parts) {
    whole =
        whole &&
        zipOpenNewFileInZip64(archive, name.c_str(), nullptr, nullptr, 0, nullptr, 0, nullptr,
                              packing == Packing::kStored ? 0 : Z_DEFLATED, Z_DEFAULT_COMPRESSION,
                              0) == ZIP_OK &&
        zipWriteInFileInZip(archive, bytes.data(), static_cast<unsigned>(bytes.size())) == ZIP_OK &&
        zipCloseFileInZip(archive) == ZIP_OK;
  }
  if (zipClose(archive, nullptr) != ZIP_OK || !whole)
    throw std::runtime_error("cannot write " + path.string());
}

}  // namespace figment::testing
