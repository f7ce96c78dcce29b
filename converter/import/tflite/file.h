// A TFLite file in memory, verified.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "figment/import/tflite_generated.h"

namespace figment::converter {

class TfliteFile {
 public:
  // Every offset and string in it has been checked, numbers have not. Throws DamagedFile.
  explicit TfliteFile(const std::filesystem::path& path);

  const tflite::Model& model() const { return *tflite::GetModel(bytes_.data()); }
  std::size_t size() const { return bytes_.size(); }
  // The bytes of Model.buffers[index]; empty where it has none. Throws DamagedFile.
  std::span<const std::byte> buffer(std::uint32_t index) const;

 private:
  std::vector<std::byte> bytes_;
};

// A name for messages and tensors; a file may hold one of any length.
std::string short_text(const flatbuffers::String* text);

}  // namespace figment::converter
