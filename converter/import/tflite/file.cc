// Reads and verifies the FlatBuffer.
#include "converter/import/tflite/file.h"

#include <algorithm>
#include <fstream>

#include "converter/graph/graph.h"
#include "converter/import/whole_file.h"

namespace figment::converter {
namespace {

// Model, subgraph, operator, options: nothing in it is deeper.
constexpr flatbuffers::uoffset_t kMostDepth = 16;
// A table takes eight bytes at least, its place in a list included.
constexpr std::size_t kLeastTable = 8;

}  // namespace

TfliteFile::TfliteFile(const std::filesystem::path& path) : bytes_(read_whole_file(path)) {
  // What stands behind 2 GB can be buffers alone, which have offsets of their own.
  const std::size_t tables = std::min(bytes_.size(), std::size_t{FLATBUFFERS_MAX_BUFFER_SIZE} - 1);
  flatbuffers::Verifier verifier(
      reinterpret_cast<const std::uint8_t*>(bytes_.data()), tables, kMostDepth,
      static_cast<flatbuffers::uoffset_t>(tables / kLeastTable + kMostDepth));
  if (!tflite::VerifyModelBuffer(verifier))
    throw DamagedFile("'" + path.string() +
                      "' is cut off or damaged: it is no whole TFLite model; export or copy it "
                      "again");
}

std::span<const std::byte> TfliteFile::buffer(std::uint32_t index) const {
  const auto* buffers = model().buffers();
  if (buffers == nullptr || index >= buffers->size())
    throw DamagedFile("a tensor names buffer " + std::to_string(index) + " of " +
                      std::to_string(buffers == nullptr ? 0 : buffers->size()) +
                      "; the file is damaged: export or copy it again");
  const tflite::Buffer& buffer = *buffers->Get(index);
  if (buffer.data() != nullptr)
    return std::as_bytes(std::span(buffer.data()->data(), buffer.data()->size()));
  // Offsets of 0 and 1 mean that there is none.
  if (buffer.offset() <= 1 || buffer.size() == 0) return {};
  if (buffer.offset() > bytes_.size() || buffer.size() > bytes_.size() - buffer.offset())
    throw DamagedFile("buffer " + std::to_string(index) +
                      " stands outside of the file, which is cut off or damaged; export or copy it "
                      "again");
  return std::span(bytes_).subspan(static_cast<std::size_t>(buffer.offset()),
                                   static_cast<std::size_t>(buffer.size()));
}

std::string short_text(const flatbuffers::String* text) {
  constexpr std::size_t kMost = 200;
  if (text == nullptr) return {};
  return std::string(text->c_str(), std::min<std::size_t>(text->size(), kMost));
}

}  // namespace figment::converter
