// Files of safetensors: the length of a JSON header in 8 bytes, the header, and the numbers.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "converter/import/json_text.h"
#include "converter/import/torch/weights.h"

namespace figment::converter {
namespace {

using nlohmann::json;

// A header becomes some ten times its size in memory while it is read.
constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{1} << 20;
constexpr std::uint64_t kShare = 16;  // of the file, at most, that a longer header may be

struct TypeName {
  const char* name;
  TorchType type;
};

constexpr TypeName kTypes[] = {
    {"F32", TorchType::kFloat32},   {"F64", TorchType::kFloat64}, {"F16", TorchType::kFloat16},
    {"BF16", TorchType::kBfloat16}, {"I8", TorchType::kInt8},     {"U8", TorchType::kUint8},
    {"I16", TorchType::kInt16},     {"I32", TorchType::kInt32},   {"I64", TorchType::kInt64},
    {"BOOL", TorchType::kBool},
};

std::uint64_t header_bytes(std::ifstream& file) {
  unsigned char length[8] = {};
  if (!file.read(reinterpret_cast<char*>(length), sizeof length)) return 0;
  std::uint64_t value = 0;
  for (int index = 7; index >= 0; --index) value = value << 8 | length[index];
  return value;
}

class SafeTensors : public TorchStorages {
 public:
  SafeTensors(const std::filesystem::path& path, TorchNames& names)
      : stream_(path, std::ios::binary) {
    set_file(path);
    read_header(names);
  }

  std::uint64_t size(const std::string& key) const override {
    const auto [begin, end] = places_.at(key);
    return end - begin;
  }
  std::vector<std::byte> read(const std::string& key) const override {
    const auto [begin, end] = places_.at(key);
    std::vector<std::byte> bytes(end - begin);
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(begin));
    if (!bytes.empty() && !stream_.read(reinterpret_cast<char*>(bytes.data()),
                                        static_cast<std::streamsize>(bytes.size())))
      damaged("the tensor '" + key + "' cannot be read");
    return bytes;
  }

 private:
  [[noreturn]] void damaged(const std::string& why) const {
    throw DamagedFile(file() + " is cut off or damaged: " + why + "; download or save it again");
  }
  void read_header(TorchNames& names);
  void add(const std::string& name, const json& entry, std::uint64_t start, TorchNames& names);

  mutable std::ifstream stream_;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> places_;  // in the file
};

void SafeTensors::read_header(TorchNames& names) {
  const std::uint64_t length = header_bytes(stream_);
  if (file_bytes() < 8 || length > file_bytes() - 8) damaged("its header is longer than the file");
  if (length > std::max(kAlwaysAllowed, file_bytes() / kShare))
    damaged("nearly all of it is a header");
  std::string text(length, '\0');
  stream_.read(text.data(), static_cast<std::streamsize>(length));
  const json header = parse_json(text, "the header of " + file());
  if (!header.is_object()) damaged("its header is no JSON");
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") add(name, entry, length + 8, names);
}

void SafeTensors::add(const std::string& name, const json& entry, std::uint64_t start,
                      TorchNames& names) {
  const auto field = [&](const char* key) {
    const auto found = entry.is_object() ? entry.find(key) : entry.end();
    if (!entry.is_object() || found == entry.end())
      damaged("the tensor '" + name + "' lacks its " + key);
    return *found;
  };
  const json type = field("dtype"), shape = field("shape"), offsets = field("data_offsets");
  const auto is_count = [](const json& number) { return number.is_number_unsigned(); };
  if (!type.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2 ||
      !std::ranges::all_of(shape, is_count) || !std::ranges::all_of(offsets, is_count))
    damaged("the tensor '" + name + "' is not described as it must be");
  TorchTensor tensor;
  const auto row = std::ranges::find_if(kTypes, [&](const TypeName& known) {
    return type.get_ref<const std::string&>() == known.name;
  });
  tensor.type = row != std::end(kTypes) ? row->type : TorchType::kOther;
  tensor.storage = name;
  std::uint64_t numbers = 1;
  const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
  const std::uint64_t most = file_bytes() - start;
  if (begin > end || end > most) damaged("the tensor '" + name + "' leaves the file");
  for (const json& extent : shape) {
    const auto size = extent.get<std::uint64_t>();
    if (size > most) damaged("the tensor '" + name + "' is larger than the file");
    if (size != 0 && numbers > most / size)
      damaged("the tensor '" + name + "' is larger than the file");
    numbers *= size;
    tensor.sizes.push_back(static_cast<std::int64_t>(size));
  }
  if (const std::size_t width = bytes_of(tensor.type);
      width != 0 && (end - begin) / width != numbers)
    damaged("the tensor '" + name + "' has another number of bytes than its shape says");
  tensor.strides.assign(tensor.sizes.size(), 1);
  for (std::size_t axis = tensor.sizes.size(); axis > 1; --axis)
    tensor.strides[axis - 2] =
        tensor.strides[axis - 1] * std::max<std::int64_t>(tensor.sizes[axis - 1], 1);
  places_[name] = {start + begin, start + end};
  names[name] = std::move(tensor);
}

}  // namespace

bool is_safetensors(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::uint64_t length = header_bytes(file);
  constexpr std::uint64_t kMostHeader = std::uint64_t{100} << 20;
  char start[2] = {};
  return length >= 2 && length <= kMostHeader && file.read(start, 2) && start[0] == '{' &&
         (start[1] == '"' || start[1] == '}' || start[1] == ' ' || start[1] == '\n');
}

std::unique_ptr<TorchStorages> read_safetensors(const std::filesystem::path& path,
                                                TorchNames& names) {
  return std::make_unique<SafeTensors>(path, names);
}

}  // namespace figment::converter
