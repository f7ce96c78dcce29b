// The types of elements in HDF5 files: their descriptions ("datatype messages"), and numbers.
#include "converter/import/hdf5_type.h"

#include <bit>
#include <cmath>

#include "converter/import/byte_reader.h"

namespace figment::converter {
namespace {

constexpr int kMostNesting = 16;
constexpr std::string_view kWhat = "a datatype in the HDF5 file";

[[noreturn]] void damaged() {
  throw DamagedFile("a datatype in the HDF5 file is unknown; the file is damaged");
}

// The fields of IEEE 754's formats: where exponent and mantissa stand, how long they are, the bias.
struct FloatFields {
  unsigned exponent_at, exponent_bits, mantissa_at, mantissa_bits, bias;
  bool operator==(const FloatFields&) const = default;
};
constexpr FloatFields kFloat16 = {10, 5, 0, 10, 15}, kFloat32 = {23, 8, 0, 23, 127},
                      kFloat64 = {52, 11, 0, 52, 1023};

Hdf5Type read(ByteReader& bytes, int depth) {
  if (depth > kMostNesting) damaged();
  Hdf5Type type;
  const unsigned first = bytes.byte();
  const unsigned version = first >> 4;
  if ((first & 15U) > 10 || version < 1 || version > 4) damaged();
  type.kind = static_cast<Hdf5Class>(first & 15U);
  const auto bits = static_cast<std::uint32_t>(bytes.number(3));
  type.size = static_cast<std::uint32_t>(bytes.number(4));
  const auto read_part = [&] { type.parts.push_back(read(bytes, depth + 1)); };
  // A name, padded to 8 bytes in old versions.
  const auto read_name = [&] {
    const std::size_t start = bytes.at();
    std::string name(bytes.text_to_zero());
    if (version < 3)
      while ((bytes.at() - start) % 8 != 0) bytes.skip(1);
    return name;
  };
  switch (type.kind) {
    case Hdf5Class::kInteger:
      type.big_endian = (bits & 1U) != 0;
      type.has_sign = (bits & 8U) != 0;
      // Others have bits that are left out.
      if (bytes.number(2) != 0 || bytes.number(2) != std::uint64_t{type.size} * 8)
        type.kind = Hdf5Class::kBits;
      break;
    case Hdf5Class::kBits:
      bytes.skip(4);
      break;
    case Hdf5Class::kFloat: {
      type.big_endian = (bits & 1U) != 0;
      bytes.skip(4);
      FloatFields fields{};
      fields.exponent_at = bytes.byte();
      fields.exponent_bits = bytes.byte();
      fields.mantissa_at = bytes.byte();
      fields.mantissa_bits = bytes.byte();
      fields.bias = static_cast<unsigned>(bytes.number(4));
      if (!(type.size == 2 && fields == kFloat16) && !(type.size == 4 && fields == kFloat32) &&
          !(type.size == 8 && fields == kFloat64))
        type.kind = Hdf5Class::kOpaque;
      break;
    }
    case Hdf5Class::kTime:
      bytes.skip(2);
      break;
    case Hdf5Class::kText:
    case Hdf5Class::kReference:
      break;
    case Hdf5Class::kOpaque: {
      const std::string_view tag = bytes.text(bits & 0xffU);
      type.tag = tag.substr(0, tag.find('\0'));
      break;
    }
    case Hdf5Class::kCompound: {
      std::size_t offset_bytes = 4;
      if (version >= 3)
        for (offset_bytes = 1; offset_bytes < 4 && type.size >> (8 * offset_bytes) != 0;)
          ++offset_bytes;
      for (unsigned member = 0; member < (bits & 0xffffU); ++member) {
        Hdf5Type::Member added;
        added.name = read_name();
        added.offset = static_cast<std::uint32_t>(bytes.number(offset_bytes));
        if (version == 1) bytes.skip(28);  // extents, which arrays have since
        added.type = type.parts.size();
        read_part();
        const std::uint32_t size = type.parts.back().size;
        if (size > type.size || added.offset > type.size - size) damaged();
        type.members.push_back(std::move(added));
      }
      break;
    }
    case Hdf5Class::kEnum: {
      read_part();
      if (type.parts.back().size != type.size) damaged();
      const unsigned count = bits & 0xffffU;
      for (unsigned member = 0; member < count; ++member) static_cast<void>(read_name());
      bytes.skip(std::uint64_t{count} * type.size);
      break;
    }
    case Hdf5Class::kVariable:
      type.text = (bits & 15U) == 1;
      read_part();
      break;
    case Hdf5Class::kArray: {
      const unsigned axes = bytes.byte();
      if (version < 3) bytes.skip(3);
      for (unsigned axis = 0; axis < axes; ++axis)
        type.extents.push_back(static_cast<std::int64_t>(bytes.number(4)));
      if (version < 3) bytes.skip(std::uint64_t{4} * axes);
      read_part();
      break;
    }
  }
  if (type.size == 0) damaged();
  return type;
}

double from_fields(std::uint64_t bits, const FloatFields& fields) {
  const auto exponent =
      static_cast<int>(bits >> fields.exponent_at & ((1U << fields.exponent_bits) - 1));
  const std::uint64_t mantissa = bits & ((std::uint64_t{1} << fields.mantissa_bits) - 1);
  const bool negative = (bits >> (fields.exponent_at + fields.exponent_bits) & 1U) != 0;
  const int shift = -static_cast<int>(fields.bias) - static_cast<int>(fields.mantissa_bits);
  double value = 0;
  if (exponent == (1 << fields.exponent_bits) - 1)
    value = mantissa == 0 ? HUGE_VAL : std::nan("");
  else if (exponent == 0)
    value = std::ldexp(static_cast<double>(mantissa), shift + 1);
  else
    value = std::ldexp(static_cast<double>(mantissa | std::uint64_t{1} << fields.mantissa_bits),
                       shift + exponent);
  return negative ? -value : value;
}

}  // namespace

Hdf5Type read_hdf5_type(std::span<const std::byte> bytes) {
  ByteReader reader(bytes, kWhat);
  return read(reader, 0);
}

bool Hdf5Type::is_number() const {
  if (kind == Hdf5Class::kFloat) return true;
  return kind == Hdf5Class::kInteger && (size == 1 || size == 2 || size == 4 || size == 8);
}

double Hdf5Type::number(const std::byte* bytes) const {
  std::uint64_t bits = 0;
  for (std::uint32_t index = 0; index < size; ++index) {
    const std::uint32_t at = big_endian ? index : size - 1 - index;
    bits = bits << 8 | std::to_integer<std::uint64_t>(bytes[at]);
  }
  if (kind == Hdf5Class::kFloat) {
    if (size == 4)
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return size == 8 ? std::bit_cast<double>(bits) : from_fields(bits, kFloat16);
  }
  if (!has_sign) return static_cast<double>(bits);
  const unsigned unused = 64 - 8 * size;
  return static_cast<double>(static_cast<std::int64_t>(bits << unused) >> unused);
}

}  // namespace figment::converter
