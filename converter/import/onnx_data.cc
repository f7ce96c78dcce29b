// Reads the arrays of an ONNX file: raw, typed, or in a file beside it.
#include "converter/import/onnx_data.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <type_traits>

#include "converter/graph/graph.h"

namespace figment::converter {
namespace {

using onnx::TensorProto;

[[noreturn]] void refuse(const TensorProto& proto, const std::string& why) {
  throw ConvertError("array '" + proto.name() + "': " + why);
}

float widen_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const int exponent = (half >> 10) & 31;
  const std::uint32_t mantissa = half & 0x3ffu;
  float magnitude = 0;
  if (exponent == 31)
    magnitude = mantissa != 0 ? std::numeric_limits<float>::quiet_NaN()
                              : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  else
    magnitude = std::ldexp(static_cast<float>(mantissa | 0x400u), exponent - 25);
  return sign != 0 ? -magnitude : magnitude;
}

float widen_bfloat(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

template <typename T>
std::int32_t saturate(T value) {
  if constexpr (std::is_unsigned_v<T>) {
    return value > static_cast<T>(std::numeric_limits<std::int32_t>::max()) && sizeof(T) >= 4
               ? std::numeric_limits<std::int32_t>::max()
               : static_cast<std::int32_t>(value);
  } else {
    const auto wide = static_cast<std::int64_t>(value);
    if (wide > std::numeric_limits<std::int32_t>::max())
      return std::numeric_limits<std::int32_t>::max();
    if (wide < std::numeric_limits<std::int32_t>::min())
      return std::numeric_limits<std::int32_t>::min();
    return static_cast<std::int32_t>(wide);
  }
}

// The element's size in raw data; 0 for types that the graph cannot hold.
std::size_t raw_size(int type) {
  switch (type) {
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
    case TensorProto::UINT64:
      return 8;
    case TensorProto::FLOAT:
    case TensorProto::INT32:
    case TensorProto::UINT32:
      return 4;
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
    case TensorProto::INT16:
    case TensorProto::UINT16:
      return 2;
    case TensorProto::INT8:
    case TensorProto::UINT8:
    case TensorProto::BOOL:
      return 1;
    default:
      return 0;
  }
}

bool is_external(const TensorProto& proto) {
  return proto.data_location() == TensorProto::EXTERNAL;
}

std::size_t raw_bytes(const TensorProto& proto, const Shape& shape) {
  return static_cast<std::size_t>(shape.elements()) * raw_size(proto.data_type());
}

// The bytes that a file beside the model holds for `proto`.
std::string read_external(const TensorProto& proto, const std::filesystem::path& folder,
                          std::size_t size) {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
  const auto number = [&](const std::string& text) -> std::uint64_t {
    if (text.empty() || text.size() > 18 ||
        text.find_first_not_of("0123456789") != std::string::npos)
      refuse(proto,
             "its place in the external data file is given as '" + text + "', which is no number");
    return std::stoull(text);
  };
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = number(entry.value());
    if (entry.key() == "length") length = number(entry.value());
  }
  if (location.empty())
    refuse(proto, "its data is said to be in another file, but no file is named");
  if (length && *length != size)
    refuse(proto, "the model says that its external data has " + std::to_string(*length) +
                      " bytes, but its shape needs " + std::to_string(size));

  std::error_code error;
  const std::filesystem::path base =
      std::filesystem::weakly_canonical(folder.empty() ? "." : folder, error);
  const std::filesystem::path path = std::filesystem::weakly_canonical(base / location, error);
  const std::filesystem::path inside = path.lexically_relative(base);
  if (error || std::filesystem::path(location).is_absolute() || inside.empty() ||
      *inside.begin() == "..")
    refuse(proto, "its data is said to be in '" + location +
                      "', outside the model's folder; only files beside the model are read");
  if (!std::filesystem::is_regular_file(path, error))
    refuse(proto,
           "its data is in the file '" + location + "', which is missing; put it beside the model");
  const std::uintmax_t available = std::filesystem::file_size(path, error);
  if (error || offset > available || size > available - offset)
    refuse(proto, "the external data file '" + location + "' is too short: bytes " +
                      std::to_string(offset) + " to " + std::to_string(offset + size) +
                      " are wanted; copy it again");
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(size, '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size)))
    refuse(proto, "the external data file '" + location + "' cannot be read");
  return bytes;
}

// Fills `to` with convert(source value) for every value of the raw bytes.
template <typename Source, typename Target, typename Convert>
void convert_raw(const std::string& raw, std::vector<std::byte>& to, Convert convert) {
  const std::size_t count = raw.size() / sizeof(Source);
  for (std::size_t index = 0; index < count; ++index) {
    Source value;
    std::memcpy(&value, raw.data() + index * sizeof(Source), sizeof(Source));
    const Target converted = convert(value);
    std::memcpy(to.data() + index * sizeof(Target), &converted, sizeof(Target));
  }
}

void from_raw(const TensorProto& proto, const std::string& raw, std::vector<std::byte>& bytes) {
  switch (proto.data_type()) {
    case TensorProto::FLOAT:
    case TensorProto::INT32:
      if (!raw.empty()) std::memcpy(bytes.data(), raw.data(), raw.size());
      return;
    case TensorProto::DOUBLE:
      return convert_raw<double, float>(raw, bytes,
                                        [](double value) { return static_cast<float>(value); });
    case TensorProto::FLOAT16:
      return convert_raw<std::uint16_t, float>(raw, bytes, widen_half);
    case TensorProto::BFLOAT16:
      return convert_raw<std::uint16_t, float>(raw, bytes, widen_bfloat);
    case TensorProto::INT64:
      return convert_raw<std::int64_t, std::int32_t>(raw, bytes, saturate<std::int64_t>);
    case TensorProto::UINT64:
      return convert_raw<std::uint64_t, std::int32_t>(raw, bytes, saturate<std::uint64_t>);
    case TensorProto::UINT32:
      return convert_raw<std::uint32_t, std::int32_t>(raw, bytes, saturate<std::uint32_t>);
    case TensorProto::INT16:
      return convert_raw<std::int16_t, std::int32_t>(raw, bytes, saturate<std::int16_t>);
    case TensorProto::UINT16:
      return convert_raw<std::uint16_t, std::int32_t>(raw, bytes, saturate<std::uint16_t>);
    case TensorProto::INT8:
      return convert_raw<std::uint8_t, std::int32_t>(
          raw, bytes, [](std::uint8_t value) { return value < 128 ? value : value - 256; });
    case TensorProto::UINT8:
      return convert_raw<std::uint8_t, std::int32_t>(raw, bytes, saturate<std::uint8_t>);
    default:  // BOOL
      return convert_raw<std::uint8_t, std::int32_t>(
          raw, bytes, [](std::uint8_t value) { return value != 0 ? 1 : 0; });
  }
}

// Numbers as they stand in the file one by one (toolchains/dependencies.cmake): of four or eight
// bytes each, or as varints, seven bits a byte, the last byte of each below 128.
template <typename Number>
constexpr bool kIsFixed = std::is_floating_point_v<Number>;

template <typename Number>
std::int64_t count_numbers(const TensorProto& proto, const std::string& field) {
  if constexpr (kIsFixed<Number>) {
    if (field.size() % sizeof(Number) == 0)
      return static_cast<std::int64_t>(field.size() / sizeof(Number));
  } else {
    if (field.empty() || static_cast<unsigned char>(field.back()) < 128)
      return std::ranges::count_if(
          field, [](char byte) { return static_cast<unsigned char>(byte) < 128; });
  }
  refuse(proto, "its last number is cut off; the file is damaged");
}

template <typename Number>
Number take_number(const std::string& field, std::size_t& at) {
  if constexpr (kIsFixed<Number>) {
    Number number;
    std::memcpy(&number, field.data() + at, sizeof number);
    at += sizeof number;
    return number;
  } else {
    std::uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(field[at++]);
      if (shift < 64) number |= std::uint64_t{byte & 127U} << shift;
      if (byte < 128) return static_cast<Number>(number);
    }
  }
}

template <typename Number, typename Target, typename Convert>
void convert_field(const TensorProto& proto, const std::string& field, std::vector<std::byte>& to,
                   Convert convert) {
  const std::int64_t count = count_numbers<Number>(proto, field);
  if (static_cast<std::size_t>(count) * sizeof(Target) != to.size())
    refuse(proto, "it has " + std::to_string(count) + " values, but its shape needs " +
                      std::to_string(to.size() / sizeof(Target)) + "; the file is damaged");
  std::size_t at = 0;
  for (std::size_t index = 0; index < static_cast<std::size_t>(count); ++index) {
    const Target converted = convert(take_number<Number>(field, at));
    std::memcpy(to.data() + index * sizeof(Target), &converted, sizeof(Target));
  }
}

void from_fields(const TensorProto& proto, std::vector<std::byte>& bytes) {
  const auto half_bits = [](std::int32_t value) { return static_cast<std::uint16_t>(value); };
  switch (proto.data_type()) {
    case TensorProto::FLOAT:
      return convert_field<float, float>(proto, proto.float_data(), bytes,
                                         [](float value) { return value; });
    case TensorProto::DOUBLE:
      return convert_field<double, float>(proto, proto.double_data(), bytes,
                                          [](double value) { return static_cast<float>(value); });
    case TensorProto::FLOAT16:
      return convert_field<std::int32_t, float>(
          proto, proto.int32_data(), bytes,
          [&](std::int32_t value) { return widen_half(half_bits(value)); });
    case TensorProto::BFLOAT16:
      return convert_field<std::int32_t, float>(
          proto, proto.int32_data(), bytes,
          [&](std::int32_t value) { return widen_bfloat(half_bits(value)); });
    case TensorProto::INT64:
      return convert_field<std::int64_t, std::int32_t>(proto, proto.int64_data(), bytes,
                                                       saturate<std::int64_t>);
    case TensorProto::UINT32:
    case TensorProto::UINT64:
      return convert_field<std::uint64_t, std::int32_t>(proto, proto.uint64_data(), bytes,
                                                        saturate<std::uint64_t>);
    case TensorProto::BOOL:
      return convert_field<std::int32_t, std::int32_t>(
          proto, proto.int32_data(), bytes, [](std::int32_t value) { return value != 0 ? 1 : 0; });
    default:
      return convert_field<std::int32_t, std::int32_t>(proto, proto.int32_data(), bytes,
                                                       [](std::int32_t value) { return value; });
  }
}

}  // namespace

std::string onnx_type_name(int type) {
  // Younger than the messages of ONNX 1.12.
  constexpr const char* kYounger[] = {"FLOAT8E4M3FN",   "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
                                      "FLOAT8E5M2FNUZ", "UINT4",          "INT4",
                                      "FLOAT4E2M1"};
  constexpr int kFirstYounger = 17;
  if (TensorProto::DataType_IsValid(type))
    return TensorProto::DataType_Name(static_cast<TensorProto::DataType>(type));
  if (type >= kFirstYounger && type < kFirstYounger + static_cast<int>(std::size(kYounger)))
    return kYounger[type - kFirstYounger];
  return "number " + std::to_string(type);
}

DataType graph_type(int onnx_type, const std::string& what) {
  if (raw_size(onnx_type) == 0) {
    throw ConvertError(what + " has numbers of the type " + onnx_type_name(onnx_type) +
                       ", which is not supported; export it as float32");
  }
  switch (onnx_type) {
    case TensorProto::FLOAT:
    case TensorProto::DOUBLE:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return DataType::kFloat32;
    default:
      return DataType::kInt32;
  }
}

OnnxArray check_onnx_array(const TensorProto& proto, const std::filesystem::path& folder) {
  OnnxArray array;
  array.type = graph_type(proto.data_type(), "array '" + proto.name() + "'");
  array.source_type = proto.data_type();
  if (proto.dims_size() > kMaxRank)
    refuse(proto, "it has " + std::to_string(proto.dims_size()) + " axes; at most " +
                      std::to_string(kMaxRank) + " are supported");
  if (proto.has_segment())
    refuse(proto, "it is cut into segments, which is not supported; save the model anew");
  std::int64_t elements = 1;
  for (const std::int64_t extent : proto.dims()) {
    if (extent < 0 || extent > std::numeric_limits<std::int32_t>::max())
      refuse(proto, "it has the extent " + std::to_string(extent) + "; the file is damaged");
    array.shape.dims[array.shape.rank++] = static_cast<std::int32_t>(extent);
    elements *= extent;
    if (elements > std::numeric_limits<std::int32_t>::max()) refuse(proto, "it is too large");
  }

  // The shape is only a claim: memory is taken once the data was seen to fill it.
  if (is_external(proto) || proto.has_raw_data()) {
    const std::size_t needed = raw_bytes(proto, array.shape);
    const std::size_t given =
        is_external(proto) ? read_external(proto, folder, needed).size() : proto.raw_data().size();
    if (given != needed)
      refuse(proto, "it has " + std::to_string(given) + " bytes, but its shape needs " +
                        std::to_string(needed) + "; the file is damaged");
    return array;
  }
  const std::int64_t given = count_numbers<float>(proto, proto.float_data()) +
                             count_numbers<double>(proto, proto.double_data()) +
                             count_numbers<std::int32_t>(proto, proto.int32_data()) +
                             count_numbers<std::int64_t>(proto, proto.int64_data()) +
                             count_numbers<std::uint64_t>(proto, proto.uint64_data());
  if (given != elements)
    refuse(proto, "it has " + std::to_string(given) + " values, but its shape needs " +
                      std::to_string(elements) + "; the file is damaged");
  return array;
}

OnnxArray read_onnx_array(const TensorProto& proto, const std::filesystem::path& folder) {
  OnnxArray array = check_onnx_array(proto, folder);
  array.bytes.resize(static_cast<std::size_t>(array.shape.elements()) * 4);
  if (is_external(proto))
    from_raw(proto, read_external(proto, folder, raw_bytes(proto, array.shape)), array.bytes);
  else if (proto.has_raw_data())
    from_raw(proto, proto.raw_data(), array.bytes);
  else
    from_fields(proto, array.bytes);
  return array;
}

}  // namespace figment::converter
