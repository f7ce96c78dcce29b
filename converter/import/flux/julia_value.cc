// The tree of a Julia file's values.
#include "converter/import/flux/julia_value.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <fstream>

#include "converter/graph/graph.h"
#include "converter/import/whole_file.h"
#include "runtime/math/half.h"

namespace figment::converter {
namespace {

// A value takes about 200 bytes here.
constexpr std::size_t kFewValues = 8192;
constexpr std::size_t kBytesAValue = 64;

std::uint64_t load(const std::byte* from, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

std::int64_t load_integer(const std::byte* from, std::size_t bytes, bool is_signed) {
  const std::uint64_t value = load(from, bytes);
  const int unused = 64 - 8 * static_cast<int>(bytes);
  if (!is_signed) return static_cast<std::int64_t>(value);
  return static_cast<std::int64_t>(value << unused) >> unused;
}

double load_float(const std::byte* from, JuliaElement element) {
  if (element == JuliaElement::kFloat64) return std::bit_cast<double>(load(from, 8));
  if (element == JuliaElement::kFloat32)
    return std::bit_cast<float>(static_cast<std::uint32_t>(load(from, 4)));
  return math::widen_half(static_cast<std::uint16_t>(load(from, 2)));
}

}  // namespace

JuliaFile::JuliaFile(const std::filesystem::path& path)
    : bytes_(read_whole_file(path)), size_(bytes_.size()) {
  nothing_.kind = JuliaKind::kNothing;
  for (JuliaValue& value : booleans_) value.kind = JuliaKind::kBool;
  booleans_[1].integer = 1;
  budget_ = kFewValues + size_ / kBytesAValue;
}

void JuliaFile::spend(std::size_t amount) {
  if (amount > budget_)
    throw ConvertError(
        "the file holds more small values than a model of its size has; save the model alone, "
        "without logs and optimisers");
  budget_ -= amount;
}

JuliaValue& JuliaFile::add(JuliaKind kind) {
  spend(1);
  JuliaValue& value = values_.emplace_back();
  value.kind = kind;
  return value;
}

std::string_view short_name(const JuliaValue& type) {
  std::string_view name = type.text;
  // A function's own name may hold dots.
  const std::size_t function = name.find(".#");
  const std::size_t dot = function != std::string_view::npos ? function : name.rfind('.');
  if (dot != std::string_view::npos) name.remove_prefix(dot + 1);
  if (name.starts_with('#')) name.remove_prefix(1);
  return name;
}

std::string_view struct_name(const JuliaValue& value) {
  return value.is(JuliaKind::kStruct) && value.type != nullptr ? short_name(*value.type)
                                                               : std::string_view();
}

bool is_function(const JuliaValue& value) {
  if (!value.is(JuliaKind::kStruct) || value.type == nullptr) return false;
  const std::string& name = value.type->text;
  return name.starts_with('#') || name.find(".#") != std::string::npos;
}

bool is_closure(const JuliaValue& value) {
  if (!is_function(value)) return false;
  const std::string_view name = short_name(*value.type);
  return name.empty() || !value.items.empty() || name.find('#') != std::string_view::npos ||
         std::isdigit(static_cast<unsigned char>(name[0])) != 0;
}

std::int64_t count_elements(const std::vector<std::int64_t>& extents) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t extent : extents) {
    if (extent < 0) return -1;
    if (extent == 0) empty = true;
    if (extent > 0 && count > kMost / extent) return -1;
    count *= std::max<std::int64_t>(extent, 1);
  }
  return empty ? 0 : count;
}

JuliaElementType element_type(std::string_view name) {
  struct Row {
    std::string_view name;
    JuliaElementType type;
  };
  constexpr Row kTypes[] = {
      {"Float16", {JuliaElement::kFloat16, 2}},
      {"Float32", {JuliaElement::kFloat32, 4}},
      {"Float64", {JuliaElement::kFloat64, 8}},
      {"Int8", {JuliaElement::kInteger, 1}},
      {"Int16", {JuliaElement::kInteger, 2}},
      {"Int32", {JuliaElement::kInteger, 4}},
      {"Int64", {JuliaElement::kInteger, 8}},
      {"UInt8", {JuliaElement::kInteger, 1, false}},
      {"UInt16", {JuliaElement::kInteger, 2, false}},
      {"UInt32", {JuliaElement::kInteger, 4, false}},
      {"UInt64", {JuliaElement::kInteger, 8, false}},
      {"Bool", {JuliaElement::kInteger, 1, false}},
  };
  for (const Row& row : kTypes)
    if (row.name == name) return row.type;
  return {};
}

void set_primitive(JuliaValue& value, std::string_view name, std::span<const std::byte> bytes) {
  const JuliaElementType type = element_type(name);
  value.kind = JuliaKind::kOther;
  if (type.bytes == 0 || type.bytes != bytes.size()) return;
  if (type.element != JuliaElement::kInteger) {
    value.kind = JuliaKind::kFloat;
    value.number = load_float(bytes.data(), type.element);
    return;
  }
  value.kind = name == "Bool" ? JuliaKind::kBool : JuliaKind::kInteger;
  value.integer = load_integer(bytes.data(), type.bytes, type.is_signed);
}

std::vector<float> floats_of(const JuliaValue& numbers, const std::string& place) {
  const std::size_t bytes = numbers.element == JuliaElement::kFloat64   ? 8
                            : numbers.element == JuliaElement::kFloat32 ? 4
                            : numbers.element == JuliaElement::kFloat16 ? 2
                                                                        : 0;
  if (!numbers.is(JuliaKind::kNumbers) || bytes == 0)
    throw ConvertError(place +
                       " is no array of Float32, Float64 or Float16; save the model as cpu(model), "
                       "with plain arrays");
  std::vector<float> values(numbers.data.size() / bytes);
  if (bytes == 4) {
    if (!values.empty()) std::memcpy(values.data(), numbers.data.data(), values.size() * bytes);
    return values;
  }
  const std::byte* from = numbers.data.data();
  for (float& value : values) {
    value = static_cast<float>(load_float(from, numbers.element));
    from += bytes;
  }
  return values;
}

double number_of(const JuliaValue& value, const std::string& place) {
  if (value.is(JuliaKind::kFloat)) return value.number;
  if (value.is(JuliaKind::kInteger) || value.is(JuliaKind::kBool))
    return static_cast<double>(value.integer);
  throw ConvertError(place +
                     " is no number; the file is damaged, or of a version of Flux.jl that "
                     "is not known");
}

}  // namespace figment::converter
