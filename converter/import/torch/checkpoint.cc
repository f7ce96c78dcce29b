// The files of torch.save: a zip archive since PyTorch 1.6, several pickles one after another
// before.
#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "converter/import/torch/tensors.h"
#include "converter/import/zip_file.h"

namespace figment::converter {
namespace {

using Kind = PickleValue::Kind;

// The pickle of the number by which PyTorch knows the layout of several pickles.
constexpr std::array<unsigned char, 15> kLegacyStart = {
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};

PickleOptions pickle_options(const TorchStorages& storages, bool script_classes) {
  PickleOptions options;
  options.file = storages.file();
  options.file_bytes = storages.file_bytes();
  options.script_classes = script_classes;
  return options;
}

class ZipStorages : public TorchStorages {
 public:
  ZipStorages(const std::filesystem::path& path, std::string part)
      : zip_(path), part_(std::move(part)) {
    set_file(path);
    folder_ = torch_folder(zip_);
    if (zip_.find(folder_ + "byteorder") != nullptr) {
      const std::vector<std::byte> order = zip_.read(folder_ + "byteorder");
      if (order.size() == 3 && std::memcmp(order.data(), "big", 3) == 0)
        throw ConvertError(file() + " was saved on a big-endian machine; save it on another");
    }
  }
  std::vector<std::byte> pickle() const { return zip_.read(folder_ + part_ + ".pkl"); }
  std::uint64_t size(const std::string& key) const override {
    return zip_.check(folder_ + part_ + "/" + key);
  }
  std::vector<std::byte> read(const std::string& key) const override {
    return zip_.read(folder_ + part_ + "/" + key);
  }

 private:
  ZipFile zip_;
  std::string part_, folder_;
};

// The file's bytes, and where each storage's stand.
class LegacyStorages : public TorchStorages {
 public:
  explicit LegacyStorages(const std::filesystem::path& path) {
    set_file(path);
    std::ifstream stream(path, std::ios::binary);
    bytes_.resize(file_bytes());
    if (!stream.read(reinterpret_cast<char*>(bytes_.data()),
                     static_cast<std::streamsize>(bytes_.size())))
      throw DamagedFile(file() + " cannot be read");
  }
  std::span<const std::byte> from(std::size_t at) const {
    return std::span<const std::byte>(bytes_).subspan(std::min(at, bytes_.size()));
  }
  void add(const std::string& key, std::size_t at, std::size_t bytes) {
    places_[key] = {at, bytes};
  }
  std::uint64_t size(const std::string& key) const override { return part(key).size(); }
  std::vector<std::byte> read(const std::string& key) const override {
    return {part(key).begin(), part(key).end()};
  }

 private:
  std::span<const std::byte> part(const std::string& key) const {
    const auto found = places_.find(key);
    if (found == places_.end())
      throw DamagedFile(file() +
                        " is cut off or damaged: it lacks a storage; download or save it again");
    return from(found->second.first).first(found->second.second);
  }

  std::vector<std::byte> bytes_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> places_;
};

// The types of all storages that a pickle's values name.
void collect_types(const Pickle& pickle, std::map<std::string, TorchType>& types) {
  for (const PickleObject& object : pickle.objects())
    if (object.storage != nullptr) types.emplace(object.storage->text, object.storage->type);
}

}  // namespace

std::string torch_folder(const ZipFile& zip) {
  constexpr std::string_view kPickle = "/data.pkl";
  for (const ZipFile::Entry& entry : zip.entries())
    if (entry.name.ends_with(kPickle) && entry.name.find('/') == entry.name.size() - kPickle.size())
      return entry.name.substr(0, entry.name.size() - kPickle.size() + 1);
  return {};
}

TorchCheckpoint read_zip_checkpoint(const std::filesystem::path& path, const std::string& part,
                                    bool script_classes) {
  auto storages = std::make_unique<ZipStorages>(path, part);
  const std::vector<std::byte> bytes = storages->pickle();
  Pickle pickle(bytes, pickle_options(*storages, script_classes));
  return {std::move(pickle), std::move(storages)};
}

bool is_legacy_checkpoint(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, kLegacyStart.size()> start = {};
  return file.read(reinterpret_cast<char*>(start.data()), start.size()) && start == kLegacyStart;
}

// Pickles of a magic number, of the layout's version, of the machine, of the object and of the
// storages' keys; then for each key the count of its numbers in 8 bytes, and the numbers.
TorchCheckpoint read_legacy_checkpoint(const std::filesystem::path& path) {
  auto storages = std::make_unique<LegacyStorages>(path);
  const PickleOptions options = pickle_options(*storages, false);
  const auto damaged = [&](const std::string& why) {
    throw DamagedFile(storages->file() + " is cut off or damaged: " + why +
                      "; download or save it again");
  };
  std::size_t at = 0;
  for (int header = 0; header < 3; ++header) {
    const Pickle pickle(storages->from(at), options);
    at += pickle.length();
    if (header == 1 && (!pickle.root().is(Kind::kInteger) || pickle.root().integer != 1001))
      damaged("its layout has an unknown version");
    const PickleValue* const little = find_item(pickle.root(), "little_endian");
    if (header == 2 && little != nullptr && little->is(Kind::kBool) && little->integer == 0)
      throw ConvertError(storages->file() +
                         " was saved on a big-endian machine; save it on another");
  }
  Pickle pickle(storages->from(at), options);
  at += pickle.length();
  const Pickle keys(storages->from(at), options);
  at += keys.length();
  if (!keys.root().is(Kind::kList)) damaged("it has no list of storages");
  std::map<std::string, TorchType> types;
  collect_types(pickle, types);
  for (const PickleValue& key : keys.root().object->items) {
    const auto type = key.is(Kind::kText) ? types.find(key.object->text) : types.end();
    std::uint64_t count = 0;
    const auto rest = storages->from(at);
    if (rest.size() < sizeof count) damaged("a storage is missing");
    std::memcpy(&count, rest.data(), sizeof count);
    at += sizeof count;
    // Of a storage that no tensor names the type, and so the size, is not known.
    const std::size_t width = type == types.end() ? 0 : bytes_of(type->second);
    if (width == 0) damaged("a storage has numbers of an unknown type");
    if (count > storages->from(at).size() / width) damaged("a storage is not whole");
    storages->add(key.object->text, at, count * width);
    at += count * width;
  }
  return {std::move(pickle), std::move(storages)};
}

}  // namespace figment::converter
