// A file that appears whole or not at all: it is written beside its place and renamed when it is
// complete.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace figment::host {

// Opened before the work begins, so that a place that cannot be written is known before an hour of
// sampling. Dropped without commit(), or ended by Ctrl-C, it leaves nothing behind and an older
// file of that name as it was.
// `-` is standard output; a device or pipe is written in place.
class OutputFile {
 public:
  // Throws VerbError (ExitCode::kInputOutput), also for a folder that does not exist.
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile& operator=(OutputFile&&) = delete;

  // Writes everything and puts the file in its place. Throws VerbError. To be called once.
  void commit(std::span<const std::byte> bytes);
  void commit(const std::string& text) { commit(std::as_bytes(std::span(text))); }
  // The same from pieces, and on the disk when it returns: a machine that loses its power has the
  // older file or this one.
  void commit_durably(std::initializer_list<std::span<const std::byte>> pieces);

  const std::string& path() const { return path_; }

 private:
  void write(std::span<const std::byte> bytes);
  void put_in_place();
  void discard();

  std::string path_;
  std::string target_;     // where it ends up: path_ with symbolic links followed
  std::string temporary_;  // empty: written in place
  int descriptor_ = -1;
  int slot_ = -1;  // among the files that Ctrl-C removes
};

}  // namespace figment::host
