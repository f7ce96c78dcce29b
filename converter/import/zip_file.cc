// Reads ZIP archives with Minizip, which believes what an archive says of its sizes; here nothing
// is believed before it has been compared with the file's own size.
#include "converter/import/zip_file.h"

#include <minizip/unzip.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "converter/graph/graph.h"

namespace figment::converter {
namespace {

// How many times the file's size all entries together may unpack to; small files may hold more.
constexpr std::uint64_t kMostExpansion = 4;
constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{1} << 20;
constexpr std::size_t kLongestName = 1000;
constexpr std::size_t kStep = 1 << 16;          // unpacked at once
constexpr std::uint64_t kSmallestListing = 46;  // bytes of an entry in the archive's list
constexpr unsigned kEncrypted = 1;              // a bit of the entry's flags
constexpr unsigned kStored = 0, kDeflated = 8;

struct Close {
  void operator()(void* archive) const { unzClose(archive); }
};

bool is_plain(std::string_view name) {
  return std::ranges::all_of(name,
                             [](unsigned char letter) { return letter >= 0x20 && letter != 0x7f; });
}

}  // namespace

struct ZipFile::Archive {
  std::string name;  // of the file, quoted, for messages
  std::unique_ptr<void, Close> handle;
  std::vector<Entry> entries;
  std::vector<unz64_file_pos> places;  // of the entries
  std::map<std::string, std::size_t, std::less<>> index;
  std::set<std::size_t> checked;

  [[noreturn]] void damaged(const std::string& why) const {
    throw DamagedFile(name + " is cut off or damaged: " + why + "; download or save it again");
  }
  void list(std::uint64_t file_bytes);
  void add(std::uint64_t file_bytes, std::uint64_t& total);
};

// Reads the entry that the handle stands at.
void ZipFile::Archive::add(std::uint64_t file_bytes, std::uint64_t& total) {
  unz_file_info64 facts = {};
  std::array<char, kLongestName + 1> text = {};
  if (unzGetCurrentFileInfo64(handle.get(), &facts, text.data(), text.size(), nullptr, 0, nullptr,
                              0) != UNZ_OK)
    damaged("an entry of its list cannot be read");
  if (facts.size_filename == 0 || facts.size_filename > kLongestName)
    damaged("an entry's name is empty or too long");
  std::string entry(text.data(), facts.size_filename);
  if (!is_plain(entry)) damaged("an entry's name has control characters");
  if (entry.back() == '/') return;  // a folder
  if (facts.flag & kEncrypted)
    throw ConvertError(name + " is encrypted (its part '" + entry +
                       "'); save it without a password");
  if (facts.compression_method != kStored && facts.compression_method != kDeflated)
    throw ConvertError(name + " is packed in a way that is not known (method " +
                       std::to_string(facts.compression_method) + " of its part '" + entry +
                       "'); pack it anew with 'deflate'");
  const bool whole =
      facts.compressed_size <= file_bytes &&
      (facts.compression_method == kDeflated || facts.uncompressed_size == facts.compressed_size);
  if (!whole) damaged("its part '" + entry + "' is said to be larger than the file");
  const std::uint64_t most = std::max(kAlwaysAllowed, file_bytes * kMostExpansion);
  if (facts.uncompressed_size > most || (total += facts.uncompressed_size) > most)
    damaged("its parts would unpack to more than " + std::to_string(kMostExpansion) +
            " times its size (at '" + entry + "')");
  unz64_file_pos place = {};
  if (unzGetFilePos64(handle.get(), &place) != UNZ_OK)
    damaged("an entry of its list cannot be read");
  if (!index.emplace(entry, entries.size()).second)
    damaged("its part '" + entry + "' stands in it twice");
  entries.push_back({std::move(entry), facts.uncompressed_size});
  places.push_back(place);
}

void ZipFile::Archive::list(std::uint64_t file_bytes) {
  unz_global_info64 facts = {};
  if (unzGetGlobalInfo64(handle.get(), &facts) != UNZ_OK ||
      facts.number_entry > file_bytes / kSmallestListing)
    damaged("its list of parts is not whole");
  // Minizip reads zeros past the file's end.
  if (facts.number_entry == 0) damaged("it holds nothing");
  std::uint64_t total = 0;
  int state = unzGoToFirstFile(handle.get());
  for (std::uint64_t at = 0; at < facts.number_entry; ++at) {
    if (state != UNZ_OK) damaged("its list of parts is not whole");
    add(file_bytes, total);
    state = unzGoToNextFile(handle.get());
  }
}

bool is_zip(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> start = {};
  return file.read(start.data(), start.size()) &&
         std::string_view(start.data(), start.size()) == std::string_view("PK\x03\x04", 4);
}

ZipFile::ZipFile(const std::filesystem::path& path) : archive_(std::make_unique<Archive>()) {
  archive_->name = "'" + path.string() + "'";
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) throw ConvertError(archive_->name + " cannot be opened; check the path");
  archive_->handle.reset(unzOpen64(path.c_str()));
  if (!archive_->handle) archive_->damaged("it is no whole ZIP archive");
  archive_->list(bytes);
}

ZipFile::~ZipFile() = default;
ZipFile::ZipFile(ZipFile&&) noexcept = default;
ZipFile& ZipFile::operator=(ZipFile&&) noexcept = default;

const std::vector<ZipFile::Entry>& ZipFile::entries() const { return archive_->entries; }

const ZipFile::Entry* ZipFile::find(std::string_view name) const {
  const auto found = archive_->index.find(name);
  return found == archive_->index.end() ? nullptr : &archive_->entries[found->second];
}

template <typename Take>
void ZipFile::unpack(std::size_t entry, const Take& take) const {
  void* const handle = archive_->handle.get();
  const Entry& unpacked = archive_->entries[entry];
  const auto damaged = [&] { archive_->damaged("its part '" + unpacked.name + "' is not whole"); };
  if (unzGoToFilePos64(handle, &archive_->places[entry]) != UNZ_OK ||
      unzOpenCurrentFile(handle) != UNZ_OK)
    damaged();
  std::uint64_t at = 0;
  while (at < unpacked.bytes) {
    const std::span<std::byte> into = take(at);
    const int got = unzReadCurrentFile(handle, into.data(), static_cast<unsigned>(into.size()));
    if (got <= 0) break;
    at += static_cast<std::uint64_t>(got);
  }
  // Closing compares the checksum.
  if (unzCloseCurrentFile(handle) != UNZ_OK || at != unpacked.bytes) damaged();
}

std::size_t ZipFile::place_of(std::string_view name) const {
  const auto found = archive_->index.find(name);
  if (found == archive_->index.end())
    archive_->damaged("it has no part '" + std::string(name) + "'");
  return found->second;
}

std::uint64_t ZipFile::check(std::string_view name) const {
  const std::size_t entry = place_of(name);
  if (archive_->checked.insert(entry).second) {
    std::vector<std::byte> piece(kStep);
    const std::uint64_t bytes = archive_->entries[entry].bytes;
    unpack(entry, [&](std::uint64_t at) {
      return std::span(piece).first(std::min<std::uint64_t>(kStep, bytes - at));
    });
  }
  return archive_->entries[entry].bytes;
}

std::vector<std::byte> ZipFile::read(std::string_view name) const {
  const std::size_t entry = place_of(name);
  std::vector<std::byte> bytes(archive_->entries[entry].bytes);
  unpack(entry, [&](std::uint64_t at) {
    return std::span(bytes).subspan(at, std::min<std::uint64_t>(kStep, bytes.size() - at));
  });
  return bytes;
}

}  // namespace figment::converter
