// Imports one file and judges what came of it.
#include "tests/fuzz/attempt.h"

#include <algorithm>
#include <exception>

#include "tests/limits/heap_watch.h"

namespace figment::fuzz {
namespace {

constexpr std::size_t kLongestSentence = 700;

bool is_control(unsigned char letter) { return letter < 0x20 || letter == 0x7f; }

std::string complaint(const Attempt& made, std::size_t floor) {
  if (!made.refused) return {};
  if (made.sentence.empty()) return "it is refused without a word";
  if (made.sentence.size() > kLongestSentence) return "its sentence is too long";
  if (std::ranges::any_of(made.sentence, is_control)) return "its sentence has control characters";
  if (made.sentence.find("needs more memory than there is") != std::string::npos)
    return "it claims more memory than any file may: " + made.sentence;
  if (made.peak_bytes > kMostExpansion * made.file_bytes + floor)
    return "it takes " + std::to_string(made.peak_bytes) +
           " bytes of memory before it is refused: " + made.sentence;
  return {};
}

}  // namespace

Attempt attempt(const std::filesystem::path& path, const converter::ImportOptions& options,
                std::size_t floor) {
  Attempt made;
  for (const auto& each : std::filesystem::directory_iterator(path.parent_path()))
    made.file_bytes += each.file_size();
  testing::HeapWatch heap;
  try {
    static_cast<void>(converter::import_file(path, options));
    made.peak_bytes = heap.peak_bytes();
  } catch (const converter::ConvertError& error) {
    made.peak_bytes = heap.peak_bytes();
    made.refused = true;
    made.sentence = error.what();
  } catch (const std::exception& error) {
    made.finding = "another exception comes out: " + std::string(error.what());
    return made;
  }
  made.finding = complaint(made, floor);
  return made;
}

}  // namespace figment::fuzz
