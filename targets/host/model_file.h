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

  // Takes the first `end` bytes, a whole number of pages, out of this process's memory until they
  // are read again.
  void forget(std::size_t end) const;

 private:
  std::span<const std::byte> bytes_;
  void* mapping_ = nullptr;  // null: the bytes are in memory_
  AlignedMemory memory_;
};

// A verified model and the file under it.
struct ModelFile {
  // Throws VerbError: unreadable, damaged, or unsupported; the sentence names the file.
  explicit ModelFile(const std::string& path);

  // To be called once a session is there: of a tuned file the tensors' own data is hardly read any
  // more, but where they were, the system has mapped some megabytes around.
  void forget_tensors() const;

  MappedFile file;
  Model model;
};

}  // namespace figment::host
