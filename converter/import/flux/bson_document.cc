// BSON documents as they lie in a file's bytes.
#include "converter/import/flux/bson_document.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "converter/graph/graph.h"

namespace figment::converter {
namespace {

constexpr int kMaxDepth = 256;
constexpr std::size_t kLeastDocument = 5;  // the length, and the 0 at the end

[[noreturn]] void damaged(const char* what) {
  throw DamagedFile(std::string("the file is cut off or damaged: ") + what +
                    "; copy it again, or save the model again with BSON.@save");
}

std::int32_t load_length(std::span<const std::byte> bytes, std::size_t at) {
  std::int32_t length = 0;
  std::memcpy(&length, bytes.data() + at, 4);
  return length;
}

// Reads the element at `at` and moves behind it; nothing at the document's end.
std::optional<BsonElement> read_element(std::span<const std::byte> document, std::size_t& at) {
  if (at >= document.size()) damaged("a document has no end");
  const auto type = static_cast<std::uint8_t>(document[at++]);
  if (type == 0) return std::nullopt;
  const auto rest = document.subspan(at);
  const auto end = std::ranges::find(rest, std::byte{0});
  if (end == rest.end()) damaged("a name has no end");
  const auto letters = static_cast<std::size_t>(end - rest.begin());
  BsonElement element{
      static_cast<BsonType>(type), {reinterpret_cast<const char*>(rest.data()), letters}, {}};
  at += letters + 1;

  const std::size_t left = document.size() - at;
  std::size_t before = 0, size = 0, after = 0;
  const auto length = [&]() -> std::size_t {
    if (left < 4) damaged("a length is cut off");
    const std::int32_t value = load_length(document, at);
    if (value < 0) damaged("a length is negative");
    return static_cast<std::size_t>(value);
  };
  switch (type) {
    case 2:  // text
    case 13:
    case 14:
      before = 4;
      size = length();
      if (size == 0) damaged("a text has no end");
      --size;
      after = 1;
      break;
    case 3:  // document
    case 4:  // array
      size = length();
      if (size < kLeastDocument) damaged("a document is shorter than one can be");
      break;
    case 5:  // binary
      before = 5;
      size = length();
      break;
    case 6:  // nothing of several kinds
    case 10:
    case 127:
    case 255:
      break;
    case 7:
      size = 12;
      break;
    case 8:
      size = 1;
      break;
    case 16:
      size = 4;
      break;
    case 1:
    case 9:
    case 17:
    case 18:
      size = 8;
      break;
    default:
      damaged("an element's type is unknown");
  }
  if (before > left || size > left - before || after > left - before - size)
    damaged("an element reaches past its document");
  element.value = document.subspan(at + before, size);
  at += before + size + after;
  return element;
}

void check(std::span<const std::byte> document, int depth) {
  if (depth > kMaxDepth) damaged("its documents are nested more than 256 deep");
  if (document.size() < kLeastDocument ||
      load_length(document, 0) != static_cast<std::int64_t>(document.size()))
    damaged("a document's length is not that of its bytes");
  std::size_t at = 4;
  while (const auto element = read_element(document, at))
    if (element->is(BsonType::kDocument) || element->is(BsonType::kArray))
      check(element->value, depth + 1);
  if (at != document.size()) damaged("a document ends before its bytes do");
}

}  // namespace

std::string_view BsonElement::text() const {
  if (type != BsonType::kText) return {};
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

std::int64_t BsonElement::integer() const {
  std::int64_t result = 0;
  if (type == BsonType::kInt64) {
    std::memcpy(&result, value.data(), 8);
  } else if (type == BsonType::kInt32) {
    result = load_length(value, 0);
  } else if (type == BsonType::kBool) {
    result = value[0] != std::byte{0} ? 1 : 0;
  }
  return result;
}

double BsonElement::number() const {
  if (type != BsonType::kDouble) return 0;
  double result = 0;
  std::memcpy(&result, value.data(), 8);
  return result;
}

std::optional<BsonElement> BsonWalk::next() { return read_element(document_, at_); }

void check_bson(std::span<const std::byte> document) { check(document, 0); }

std::optional<BsonElement> find_element(std::span<const std::byte> document, std::string_view key) {
  BsonWalk walk(document);
  while (const auto element = walk.next())
    if (element->key == key) return element;
  return std::nullopt;
}

std::size_t count_elements(std::span<const std::byte> document) {
  BsonWalk walk(document);
  std::size_t count = 0;
  while (walk.next()) ++count;
  return count;
}

}  // namespace figment::converter
