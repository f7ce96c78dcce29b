// Reads whole files; `-` is standard input.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace figment::host {

// Throws VerbError (ExitCode::kInputOutput) when the file cannot be read, or when standard input is
// asked for a second time.
std::vector<std::byte> read_file(const std::string& path);

// Memory for `bytes` bytes at a multiple of 64, as models and arenas want it. Throws
// std::bad_alloc.
struct FreeAligned {
  void operator()(std::byte* memory) const;
};
using AlignedMemory = std::unique_ptr<std::byte[], FreeAligned>;
AlignedMemory allocate_aligned(std::size_t bytes);

// "standard input", or the path.
std::string input_name(const std::string& path);

}  // namespace figment::host
