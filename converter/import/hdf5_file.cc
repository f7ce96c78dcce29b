// HDF5 files as importers read them: objects by their path, their attributes and numbers.
#include "converter/import/hdf5_file.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "converter/import/hdf5_object.h"
#include "converter/import/whole_file.h"

namespace figment::converter {
namespace {

// Weights of one byte take four times their room, and parts of a model may be read again to find
// shapes; and a little more for very small files.
constexpr std::uint64_t kMostExpansion = 16, kSmallFile = 1 << 16;

std::string up_to_zero(std::span<const std::byte> letters) {
  const auto* start = reinterpret_cast<const char*>(letters.data());
  return {start, std::find(start, start + letters.size(), '\0')};
}

bool has_signature(const std::filesystem::path& path, std::streamoff at) {
  static constexpr char kSignature[] = "\x89HDF\r\n\x1a\n";
  std::ifstream file(path, std::ios::binary);
  char start[8];
  return file.seekg(at) && file.read(start, sizeof(start)) &&
         std::equal(start, start + sizeof(start), kSignature);
}

}  // namespace

bool Hdf5File::begins(const std::filesystem::path& path) { return has_signature(path, 0); }

bool Hdf5File::looks_like(const std::filesystem::path& path) {
  // At the start, or at 512 bytes and any doubling of them.
  for (std::streamoff at = 0; at <= 4096; at = at == 0 ? 512 : at * 2)
    if (has_signature(path, at)) return true;
  return false;
}

Hdf5File::Hdf5File(const std::filesystem::path& path)
    : Hdf5File("'" + path.string() + "'", read_whole_file(path)) {}

Hdf5File::Hdf5File(std::string name, std::vector<std::byte> bytes)
    : name_(std::move(name)),
      file_bytes_(bytes.size()),
      reader_(std::make_unique<Hdf5Reader>(std::move(bytes))) {}

Hdf5File::~Hdf5File() = default;

void Hdf5File::damaged(const std::string& path, const std::string& why) const {
  throw DamagedFile("'" + path + "' in " + name_ + " " + why);
}

std::optional<std::uint64_t> Hdf5File::address(const std::string& path) const {
  std::uint64_t found = reader_->root();
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    if (end > start) {
      const Hdf5Object& group = reader_->object(found);
      const auto link = group.links.find(path.substr(start, end - start));
      if (link == group.links.end()) return std::nullopt;
      found = link->second;
    }
    start = end + 1;
  }
  return found;
}

Hdf5Kind Hdf5File::kind(const std::string& path) const {
  const auto found = address(path);
  if (!found) return Hdf5Kind::kNone;
  const Hdf5Object& object = reader_->object(*found);
  if (object.group) return Hdf5Kind::kGroup;
  return object.layout != Hdf5Object::Layout::kNone ? Hdf5Kind::kDataset : Hdf5Kind::kOther;
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  const auto found = address(group);
  if (!found || !reader_->object(*found).group) damaged(group, "is no group; the file is damaged");
  std::vector<std::string> names;
  for (const auto& [name, link] : reader_->object(*found).links) names.push_back(name);
  return names;
}

const Hdf5Attribute* Hdf5File::attribute(const std::string& path,
                                         const std::string& attribute) const {
  const auto found = address(path);
  if (!found) return nullptr;
  for (const Hdf5Attribute& each : reader_->object(*found).attributes)
    if (each.name == attribute) return &each;
  return nullptr;
}

std::optional<std::string> Hdf5File::text(const std::string& path,
                                          const std::string& attribute) const {
  const std::optional<std::vector<std::string>> list = texts(path, attribute);
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}

std::optional<std::vector<std::string>> Hdf5File::texts(const std::string& path,
                                                        const std::string& name) const {
  const Hdf5Attribute* found = attribute(path, name);
  if (found == nullptr) return std::nullopt;
  const Hdf5Type& type = found->type;
  const bool variable = type.kind == Hdf5Class::kVariable && type.text;
  if (!variable && type.kind != Hdf5Class::kText) return std::nullopt;
  std::vector<std::string> result;
  for (std::size_t at = 0; at + type.size <= found->data.size(); at += type.size) {
    const auto element = found->data.subspan(at, type.size);
    result.push_back(up_to_zero(variable ? reader_->variable(type, element.data()).data : element));
  }
  return result;
}

const Hdf5Object& Hdf5File::numbers(const std::string& path) const {
  const auto found = address(path);
  if (!found || reader_->object(*found).layout == Hdf5Object::Layout::kNone)
    damaged(path, "is no dataset; the file is damaged");
  const Hdf5Object& dataset = reader_->object(*found);
  if (!dataset.type || !dataset.type->is_number())
    throw ConvertError("'" + path + "' in " + name_ +
                       " holds no plain numbers; save the weights as float32 or float16");
  return dataset;
}

std::vector<std::int64_t> Hdf5File::check_floats(const std::string& path) const {
  const Hdf5Object& dataset = numbers(path);
  std::vector<std::byte> unpacked;
  // What is packed in chunks is not unpacked before it is wanted.
  const std::uint64_t bytes = dataset.layout == Hdf5Object::Layout::kOneChunk ||
                                      dataset.layout == Hdf5Object::Layout::kChunked
                                  ? reader_->element_bytes(dataset)
                                  : reader_->elements(dataset, unpacked).size();
  spent_ += bytes / dataset.type->size * sizeof(float);
  if (spent_ > kMostExpansion * file_bytes_ + kSmallFile)
    damaged(path, "is read more often than weights are; the file is damaged");
  return dataset.shape.value_or(std::vector<std::int64_t>{0});
}

std::vector<float> Hdf5File::values(const std::string& path) const {
  const Hdf5Object& dataset = numbers(path);
  std::vector<std::byte> unpacked;
  const std::span<const std::byte> elements = reader_->elements(dataset, unpacked);
  const std::size_t size = dataset.type->size;
  std::vector<float> result;
  result.reserve(elements.size() / size);
  for (std::size_t at = 0; at + size <= elements.size(); at += size)
    result.push_back(static_cast<float>(dataset.type->number(elements.data() + at)));
  return result;
}

Hdf5Floats Hdf5File::floats(const std::string& path) const {
  return {check_floats(path), values(path)};
}

}  // namespace figment::converter
