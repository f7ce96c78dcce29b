// Edits protobuf's wire format without knowing the messages: what can be read as a message may be
// one.
#include "tests/fuzz/protobuf.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/fuzz/mutate.h"

namespace figment::fuzz {
namespace {

constexpr std::size_t kMostGrowth = std::size_t{4} << 20;  // by a field that is put in again

struct Field {
  std::uint64_t tag = 0;  // the number and, in the last three bits, the kind
  std::string value;      // of kind 2 without its length
};

std::optional<std::uint64_t> read_varint(const std::string& bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

// Nothing when `bytes` are no message.
std::optional<std::vector<Field>> read_fields(const std::string& bytes) {
  std::vector<Field> fields;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto tag = read_varint(bytes, at);
    if (!tag || *tag < 8 || *tag > 8 * 1000) return std::nullopt;
    std::size_t begin = at;
    std::uint64_t length = 0;
    if ((*tag & 7) == 0) {
      if (!read_varint(bytes, at)) return std::nullopt;
      length = at - begin;
    } else if ((*tag & 7) == 2) {
      const auto stated = read_varint(bytes, at);
      if (!stated) return std::nullopt;
      begin = at;
      length = *stated;
    } else if ((*tag & 7) == 1 || (*tag & 7) == 5) {
      length = (*tag & 7) == 1 ? 8 : 4;
    } else {
      return std::nullopt;
    }
    if (length > bytes.size() - begin) return std::nullopt;
    fields.push_back({*tag, bytes.substr(begin, length)});
    at = begin + length;
  }
  return fields;
}

std::string written(const Field& field) {
  const bool counted = (field.tag & 7) == 2;
  return varint(field.tag) + (counted ? varint(field.value.size()) : "") + field.value;
}

void change_value(Field& field, std::mt19937_64& random) {
  constexpr std::uint64_t kNumbers[] = {0,          1,          2,          3,          7,
                                        16,         255,        1000000,    0x7fffffff, 0xffffffff,
                                        1ULL << 40, 1ULL << 62, ~0ULL >> 1, 1ULL << 63, ~0ULL};
  if ((field.tag & 7) == 0)
    field.value = varint(kNumbers[below(std::size(kNumbers), random)]);
  else if (!field.value.empty())
    field.value = (field.tag & 7) == 2 ? mutate(field.value, field.value, random)
                                       : std::string(field.value.size(), '\xff');
}

}  // namespace

std::string mutate_message(const std::string& message, std::mt19937_64& random) {
  std::optional<std::vector<Field>> fields = read_fields(message);
  if (!fields || fields->empty()) return message;
  const std::size_t chosen = below(fields->size(), random);
  Field& field = (*fields)[chosen];
  // Most of a model's nodes and tensors lie two and three messages deep.
  if ((field.tag & 7) == 2 && below(5, random) != 0 && read_fields(field.value)) {
    field.value = mutate_message(field.value, random);
  } else {
    const std::size_t way = below(100, random);
    if (way < 25)
      fields->erase(fields->begin() + static_cast<std::ptrdiff_t>(chosen));
    else if (way < 40)
      fields->push_back(Field(field));
    else if (way < 42)
      fields->insert(fields->end(), below(1 + kMostGrowth / (field.value.size() + 32), random),
                     Field(field));
    else if (way < 60)
      std::swap(field.value, (*fields)[below(fields->size(), random)].value);
    else
      change_value(field, random);
  }
  std::string result;
  for (const Field& each : *fields) result += written(each);
  return result;
}

}  // namespace figment::fuzz
