// What a Julia file holds, as a tree: the readers of BSON.jl's and of JLD2's files make it, the
// layers are read off it.
//
// Values may be shared, and damaged files may make a value part of itself: whoever walks the tree
// counts its depth. Nothing is executed, and types are names alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace figment::converter {

enum class JuliaKind : std::uint8_t {
  kNothing,
  kBool,
  kInteger,
  kFloat,
  kText,
  kSymbol,
  kNumbers,     // an array of numbers
  kList,        // a tuple, or a vector of anything
  kDictionary,  // a Dict with names as keys, or a NamedTuple
  kStruct,      // also functions, which are structs without fields
  kType,
  kOther,  // what no model needs
};

enum class JuliaElement : std::uint8_t { kFloat16, kFloat32, kFloat64, kInteger, kOther };

struct JuliaValue {
  JuliaKind kind = JuliaKind::kOther;
  JuliaElement element = JuliaElement::kOther;  // of kNumbers
  std::int64_t integer = 0;                     // of kInteger and kBool
  double number = 0;                            // of kFloat
  // The text of kText and kSymbol; of a kType its full name ("Flux.Dense", "NNlib.#relu").
  std::string text;
  const JuliaValue* type = nullptr;  // of kStruct: a kType
  // The elements of kList and kDictionary, the fields of kStruct, the parameters of kType.
  std::vector<const JuliaValue*> items;
  // One name an item: of kDictionary, and of kStruct where the file has its fields' names.
  std::vector<std::string> names;
  // Of kNumbers: Julia's extents (the first index runs fastest) and the little-endian values, as
  // many as the extents say.
  std::vector<std::int64_t> extents;
  std::span<const std::byte> data;

  bool is(JuliaKind wanted) const { return kind == wanted; }
};

// A file and everything read from it.
class JuliaFile {
 public:
  // Reads all of the file. Throws ConvertError.
  explicit JuliaFile(const std::filesystem::path& path);
  JuliaFile(const JuliaFile&) = delete;
  JuliaFile& operator=(const JuliaFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  std::size_t size() const { return size_; }
  // Hands the bytes to another owner, whom, like all that values point into, the file keeps.
  std::vector<std::byte> release() { return std::move(bytes_); }
  void keep(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }
  // What was saved, by name: a kDictionary.
  const JuliaValue* root = nullptr;

  // A new value. Throws once there are more than a file of this size has any use for, which keeps
  // the tree smaller than a few times the file.
  JuliaValue& add(JuliaKind kind);
  // Counts `amount` of a reader's own things like values.
  void spend(std::size_t amount);
  // The one `nothing`.
  const JuliaValue* nothing() const { return &nothing_; }
  const JuliaValue* boolean(bool value) const { return &booleans_[value ? 1 : 0]; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t size_ = 0;
  std::vector<std::shared_ptr<const void>> owners_;
  std::deque<JuliaValue> values_;
  JuliaValue nothing_, booleans_[2];
  std::size_t budget_ = 0;
};

// The name without its modules and without the '#' of functions: "Dense", "relu".
std::string_view short_name(const JuliaValue& type);
// The short name of a struct's type; empty of anything else.
std::string_view struct_name(const JuliaValue& value);
// A function, with or without a name.
bool is_function(const JuliaValue& value);
// A function without a name of its own ("#3#4"), or one that holds values.
bool is_closure(const JuliaValue& value);

// Numbers as float32, in the file's order. Throws ConvertError when they are of another kind;
// `place` says where they are.
std::vector<float> floats_of(const JuliaValue& numbers, const std::string& place);
// The number of an integer, a boolean or a float.
double number_of(const JuliaValue& value, const std::string& place);

// The element type that is named so in the module Core, and its bytes; kOther: 0 bytes.
struct JuliaElementType {
  JuliaElement element = JuliaElement::kOther;
  std::size_t bytes = 0;
  bool is_signed = true;
};
JuliaElementType element_type(std::string_view name);

// Makes `value` what the primitive type `name` says of these bytes: a kFloat, kInteger or kBool.
void set_primitive(JuliaValue& value, std::string_view name, std::span<const std::byte> bytes);
// The product of extents; -1 where it is not below 2^62 or an extent is negative.
std::int64_t count_elements(const std::vector<std::int64_t>& extents);

}  // namespace figment::converter
