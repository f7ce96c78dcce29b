// Reads TensorFlow Lite files: the bytes are verified, then walked.
#include "converter/import/tflite/tflite.h"

#include <array>
#include <cstring>
#include <fstream>
#include <new>

#include "converter/import/one_line.h"
#include "converter/import/tflite/importer.h"

namespace figment::converter {

bool looks_like_tflite(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> start = {};
  return file.read(start.data(), start.size()) &&
         std::memcmp(start.data() + 4, tflite::ModelIdentifier(), 4) == 0;
}

Graph import_tflite(const std::filesystem::path& path, const ImportOptions& options) {
  const std::string name = "'" + path.string() + "'";
  try {
    const TfliteFile file(path);
    return TfliteImporter(file, options).import();
  } catch (const DamagedFile& error) {
    throw DamagedFile(one_line(error.what()));
  } catch (const ConvertError& error) {
    throw ConvertError(one_line(error.what()));
  } catch (const std::bad_alloc&) {
    throw ConvertError(name + " needs more memory than there is");
  }
}

}  // namespace figment::converter
