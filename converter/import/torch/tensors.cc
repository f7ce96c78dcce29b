// Reads a tensor's numbers out of its storage.
#include "converter/import/torch/tensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace figment::converter {
namespace {

// Tensors that repeat their storage's numbers may be this large anyway.
constexpr std::uint64_t kAlwaysAllowed = 65536;
// Numbers read beyond the file's bytes: those of several tensors may be the same.
constexpr std::uint64_t kShared = std::uint64_t{1} << 20;

float from_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 31U;
  const std::uint32_t fraction = bits & 1023U;
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

float load_float(TorchType type, const std::byte* from) {
  switch (type) {
    case TorchType::kFloat16:
      return from_half(load<std::uint16_t>(from));
    case TorchType::kBfloat16:
      return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(from)} << 16);
    case TorchType::kFloat64: {
      // Beyond float32's range: infinity.
      const double value = load<double>(from);
      constexpr double kMost = std::numeric_limits<float>::max();
      if (std::abs(value) > kMost)
        return static_cast<float>(std::copysign(std::numeric_limits<double>::infinity(), value));
      return static_cast<float>(value);
    }
    default:
      return load<float>(from);
  }
}

std::int32_t load_integer(TorchType type, const std::byte* from) {
  switch (type) {
    case TorchType::kInt8:
      return load<std::int8_t>(from);
    case TorchType::kUint8:
      return load<std::uint8_t>(from);
    case TorchType::kBool:
      return load<std::uint8_t>(from) != 0 ? 1 : 0;
    case TorchType::kInt16:
      return load<std::int16_t>(from);
    case TorchType::kInt64:
      return static_cast<std::int32_t>(std::clamp<std::int64_t>(
          load<std::int64_t>(from), std::numeric_limits<std::int32_t>::min(),
          std::numeric_limits<std::int32_t>::max()));
    default:
      return load<std::int32_t>(from);
  }
}

bool is_float(TorchType type) {
  return type == TorchType::kFloat32 || type == TorchType::kFloat64 ||
         type == TorchType::kFloat16 || type == TorchType::kBfloat16;
}

}  // namespace

void TorchStorages::set_file(const std::filesystem::path& path) {
  file_ = "'" + path.string() + "'";
  std::error_code error;
  file_bytes_ = std::filesystem::file_size(path, error);
  if (error) throw ConvertError(file_ + " cannot be opened; check the path");
}

TorchTensor tensor_of(const PickleObject& object) {
  TorchTensor tensor;
  tensor.type = object.type;
  tensor.sizes = object.sizes;
  tensor.strides = object.strides;
  // Both are far below 2^62 or are refused when the tensor is read.
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 4;
  tensor.offset = object.offset < 0
                      ? -1
                      : std::min(object.offset, kMost) + std::min(object.storage->offset, kMost);
  tensor.storage = object.storage->text;
  return tensor;
}

TorchArray TorchReader::check(const TorchTensor& tensor, const std::string& name) {
  const std::string what = "the tensor '" + name + "' of " + storages_.file();
  const auto damaged = [&](const std::string& why) {
    throw DamagedFile(what + " " + why + "; the file is damaged: download or save it again");
  };
  const std::size_t width = bytes_of(tensor.type);
  if (width == 0)
    throw ConvertError(what +
                       " has numbers of a type that is not supported (complex or quantized); save "
                       "it as float32");
  if (tensor.sizes.size() > static_cast<std::size_t>(kMaxRank))
    throw ConvertError(what + " has " + std::to_string(tensor.sizes.size()) + " axes; at most " +
                       std::to_string(kMaxRank) + " are supported");
  const std::uint64_t count = storages_.size(tensor.storage) / width;

  // How many numbers, and which one is the last: no product is formed before it is known to fit.
  std::uint64_t numbers = 1;
  bool empty = false;
  for (const std::int64_t size : tensor.sizes) {
    if (size < 0 || size > std::numeric_limits<std::int32_t>::max())
      damaged("has no sensible shape");
    empty = empty || size == 0;
  }
  const std::uint64_t most = std::max(count, kAlwaysAllowed);
  std::uint64_t last = 0;
  for (std::size_t axis = 0; axis < tensor.sizes.size() && !empty; ++axis) {
    const auto size = static_cast<std::uint64_t>(tensor.sizes[axis]);
    const std::int64_t stride = tensor.strides[axis];
    if (numbers > most / size) damaged("has more numbers than its storage");
    numbers *= size;
    if (size == 1) continue;
    if (stride < 0 || last >= count ||
        static_cast<std::uint64_t>(stride) > (count - 1 - last) / (size - 1))
      damaged("leaves its storage");
    last += (size - 1) * static_cast<std::uint64_t>(stride);
  }
  if (empty) numbers = 0;
  if (!empty && (tensor.offset < 0 || static_cast<std::uint64_t>(tensor.offset) >= count ||
                 last >= count - static_cast<std::uint64_t>(tensor.offset)))
    damaged("leaves its storage");
  if ((numbers_ += numbers) > storages_.file_bytes() + kShared)
    throw ConvertError(storages_.file() +
                       " holds tensors that share their numbers, which together would take several "
                       "times its size; save it with clones of them");

  TorchArray array;
  array.shape = make_shape(tensor.sizes);
  array.type = is_float(tensor.type) ? DataType::kFloat32 : DataType::kInt32;
  return array;
}

std::vector<std::byte> TorchReader::numbers_of(const TorchTensor& tensor) {
  if (last_ != tensor.storage || bytes_.empty()) {
    bytes_.clear();
    bytes_ = storages_.read(tensor.storage);
    last_ = tensor.storage;
  }
  const std::size_t width = bytes_of(tensor.type);
  const bool floats = is_float(tensor.type);
  std::uint64_t numbers = 1;
  for (const std::int64_t size : tensor.sizes) numbers *= static_cast<std::uint64_t>(size);
  std::vector<std::byte> result(numbers * 4);
  std::vector<std::int64_t> index(tensor.sizes.size(), 0);
  std::int64_t at = tensor.offset;
  for (std::uint64_t number = 0; number < numbers; ++number) {
    const std::byte* const from = bytes_.data() + static_cast<std::size_t>(at) * width;
    std::byte* const to = result.data() + number * 4;
    if (floats) {
      const float value = load_float(tensor.type, from);
      std::memcpy(to, &value, sizeof value);
    } else {
      const std::int32_t value = load_integer(tensor.type, from);
      std::memcpy(to, &value, sizeof value);
    }
    for (std::size_t axis = index.size(); axis > 0; --axis) {
      at += tensor.strides[axis - 1];
      if (++index[axis - 1] < tensor.sizes[axis - 1]) break;
      at -= tensor.strides[axis - 1] * tensor.sizes[axis - 1];
      index[axis - 1] = 0;
    }
  }
  return result;
}

TorchArray TorchReader::read(const TorchTensor& tensor, const std::string& name) {
  TorchArray array = check(tensor, name);
  array.bytes = numbers_of(tensor);
  return array;
}

TensorId TorchReader::add_to(Graph& graph, const TorchTensor& tensor, const std::string& name) {
  const TorchArray array = check(tensor, name);
  return graph.add_late(name, array.type, array.shape,
                        [this, tensor] { return numbers_of(tensor); });
}

}  // namespace figment::converter
