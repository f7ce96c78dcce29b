// An .fgm file in memory: mapped, so that weights are used in place, or read from standard input.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "figment/figment.h"
#include "targets/host/input_file.h"

namespace figment::host {

// The bytes of a file, aligned to 64 and unmoved for as long as this lives.
class MappedFile {
 public:
  // Throws VerbError (ExitCode::kInputOutput).
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

  // Takes the whole pages from byte `begin` on out of this process's memory until they are read
  // again, and lets no read before them bring them back.
  void set_apart(std::size_t begin) const;

 private:
  std::span<const std::byte> bytes_;
  void* mapping_ = nullptr;  // null: the bytes are in memory_
  AlignedMemory memory_;
};

// A verified model and the file under it. Of one that is tuned for this machine, the memory holds
// the tables and the packed weights; the weights that were packed stay in the file.
struct ModelFile {
  // Throws VerbError: unreadable, damaged, or unsupported; the sentence names the file.
  explicit ModelFile(const std::string& path);

  MappedFile file;
  Model model;
};

}  // namespace figment::host
