// Reads TensorFlow Lite files: the bytes are verified, then walked.
#include "converter/import/tflite/tflite.h"

#include <array>
#include <cstring>
#include <fstream>

#include "converter/import/tflite/importer.h"

namespace figment::converter {

bool looks_like_tflite(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> start = {};
  return file.read(start.data(), start.size()) &&
         std::memcmp(start.data() + 4, tflite::ModelIdentifier(), 4) == 0;
}

Graph import_tflite(const std::filesystem::path& path, const ImportOptions& options) {
  const TfliteFile file(path);
  return TfliteImporter(file, options).import();
}

}  // namespace figment::converter
