// One file for an importer, and what may come of it: a graph or one sentence, in bounded memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "converter/import/import.h"

namespace figment::fuzz {

struct Attempt {
  bool refused = false;
  std::string sentence;
  std::string finding;         // what is wrong; empty: nothing
  std::size_t file_bytes = 0;  // with the files beside it
  std::size_t peak_bytes = 0;  // of the heap, beyond what was taken before
};

// What a file that was refused may have taken: kMostExpansion times its size, and `floor`.
inline constexpr std::size_t kMostExpansion = 4;

// Imports `path`, which stands in a folder with nothing but the files that it names.
Attempt attempt(const std::filesystem::path& path, const converter::ImportOptions& options,
                std::size_t floor);

}  // namespace figment::fuzz
