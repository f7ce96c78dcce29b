// ZIP archives, in which Keras (.keras) and PyTorch (.pt) keep a model's parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace figment::converter {

// True when the file begins as ZIP archives do.
bool is_zip(const std::filesystem::path& path);

// An open archive. Its list is checked when it is opened: entries that stand in it twice, that are
// encrypted or packed in another way than "deflated", and those that would unpack to more than a
// few times the file's size are refused. Nothing is ever written to a place that a name says.
class ZipFile {
 public:
  struct Entry {
    std::string name;  // no control characters; '/' between folders
    std::uint64_t bytes = 0;
  };

  // Throws ConvertError when there is no such file, DamagedFile when it is no whole archive.
  explicit ZipFile(const std::filesystem::path& path);
  ~ZipFile();
  ZipFile(ZipFile&&) noexcept;
  ZipFile& operator=(ZipFile&&) noexcept;
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  // In the archive's order, without its folders.
  const std::vector<Entry>& entries() const;
  // nullptr: no such entry.
  const Entry* find(std::string_view name) const;
  // Unpacks the entry piece by piece and keeps nothing: how many bytes it has. Throws as read()
  // does.
  std::uint64_t check(std::string_view name) const;
  // The entry's bytes, unpacked, their checksum compared. Throws DamagedFile when they are not
  // whole or when there is no such entry.
  std::vector<std::byte> read(std::string_view name) const;

 private:
  std::size_t place_of(std::string_view name) const;
  // Unpacks an entry into what `take` gives for the bytes from a position on.
  template <typename Take>
  void unpack(std::size_t entry, const Take& take) const;

  struct Archive;
  std::unique_ptr<Archive> archive_;
};

}  // namespace figment::converter
