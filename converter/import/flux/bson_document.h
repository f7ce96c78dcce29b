// BSON documents (bsonspec.org) as they lie in a file's bytes: nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace figment::converter {

enum class BsonType : std::uint8_t {
  kDouble = 1,
  kText = 2,
  kDocument = 3,
  kArray = 4,
  kBinary = 5,
  kBool = 8,
  kNull = 10,
  kInt32 = 16,
  kInt64 = 18,
};

struct BsonElement {
  BsonType type;  // may be one that has no name above
  std::string_view key;
  // The value: of a document and an array all of it, of a text its letters, of binary its bytes.
  std::span<const std::byte> value;

  bool is(BsonType wanted) const { return type == wanted; }
  std::string_view text() const;  // of kText; otherwise empty
  std::int64_t integer() const;   // of kInt32, kInt64 and kBool; otherwise 0
  double number() const;          // of kDouble
};

// Reads a document's elements one after another. The document must have been checked.
class BsonWalk {
 public:
  explicit BsonWalk(std::span<const std::byte> document) : document_(document) {}
  std::optional<BsonElement> next();

 private:
  std::span<const std::byte> document_;
  std::size_t at_ = 4;
};

// Throws DamagedFile unless `document` and all that is in it is whole, to at most 256 levels.
void check_bson(std::span<const std::byte> document);

// The element with that key; nothing when there is none. The document must have been checked.
std::optional<BsonElement> find_element(std::span<const std::byte> document, std::string_view key);
// How many elements there are.
std::size_t count_elements(std::span<const std::byte> document);

}  // namespace figment::converter
