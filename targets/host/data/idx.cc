// Two bytes of 0, the type, the number of axes, each extent as 32 bits, and the numbers; all with
// the highest byte first (Y. LeCun, "The MNIST database of handwritten digits").
#include "targets/host/data/idx.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

template <typename T>
double load_swapped(const std::byte* from) {
  std::byte turned[sizeof(T)];
  std::reverse_copy(from, from + sizeof(T), turned);
  T value;
  std::memcpy(&value, turned, sizeof value);
  return static_cast<double>(value);
}

struct ValueType {
  std::uint8_t code;
  std::size_t bytes;
  double (*load)(const std::byte*);
};

constexpr ValueType kValueTypes[] = {
    {0x08, 1, load_swapped<std::uint8_t>}, {0x09, 1, load_swapped<std::int8_t>},
    {0x0b, 2, load_swapped<std::int16_t>}, {0x0c, 4, load_swapped<std::int32_t>},
    {0x0d, 4, load_swapped<float>},        {0x0e, 8, load_swapped<double>},
};

const ValueType* find_type(std::byte code) {
  for (const ValueType& type : kValueTypes)
    if (std::byte{type.code} == code) return &type;
  return nullptr;
}

constexpr std::size_t kPreamble = 4;

}  // namespace

bool is_idx(std::span<const std::byte> bytes) {
  return bytes.size() >= kPreamble && bytes[0] == std::byte{0} && bytes[1] == std::byte{0} &&
         find_type(bytes[2]) != nullptr && bytes[3] >= std::byte{1} &&
         bytes[3] <= std::byte{kMaxRank};
}

ArrayLayout find_idx(std::span<const std::byte> bytes, const std::string& name) {
  const auto damaged = [&](const std::string& why) {
    return VerbError(ExitCode::kBadFile, name + " is no sound IDX file: " + why);
  };
  const ValueType& type = *find_type(bytes[2]);
  const auto rank = static_cast<std::size_t>(bytes[3]);
  ArrayLayout layout;
  layout.begin = kPreamble + 4 * rank;
  layout.element_bytes = type.bytes;
  layout.load = type.load;
  layout.are_bytes = type.code == 0x08;
  if (bytes.size() < layout.begin) throw damaged("it is cut short");
  const std::uint64_t there = (bytes.size() - layout.begin) / type.bytes;
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::uint32_t extent = 0;
    for (std::size_t i = 0; i < 4; ++i)
      extent = extent << 8 | static_cast<std::uint32_t>(bytes[kPreamble + 4 * axis + i]);
    layout.shape.push_back(extent);
    // Compared against what is there before anything is multiplied out.
    if (extent > 0 && count > there / extent) throw damaged("it is cut short");
    count *= extent;
  }
  if (bytes.size() - layout.begin != count * type.bytes)
    throw damaged("it holds more than its shape says");
  return layout;
}

}  // namespace figment::host
