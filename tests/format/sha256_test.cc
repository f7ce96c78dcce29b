// SHA-256 against the standard's examples, and the content hash against its definition.
#include "runtime/format/sha256.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "figment/format/model_generated.h"

using namespace figment;

namespace {

std::string hex(const format::Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string hash_of(std::string_view text) {
  format::Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hex(hash.finish());
}

// A model's file; `hash` fills its content hash.
std::vector<std::byte> model_file(bool with_hash, std::uint8_t hash, const char* name) {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(name);
  std::vector<std::uint8_t> bytes(32, hash);
  const format::Hash field{flatbuffers::span<const std::uint8_t, 32>(bytes.data(), 32)};
  format::ModelBuilder model(builder);
  model.add_name(text);
  if (with_hash) model.add_content_hash(&field);
  builder.Finish(model.Finish(), format::ModelIdentifier());
  std::vector<std::byte> file(builder.GetSize());
  std::memcpy(file.data(), builder.GetBufferPointer(), file.size());
  return file;
}

}  // namespace

TEST_CASE("the examples of FIPS 180-4") {
  CHECK(hash_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hash_of(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("pieces of any size give the same digest, at every length around a block's end") {
  std::string text;
  for (int i = 0; i < 200; ++i) text += static_cast<char>('0' + i % 75);
  for (std::size_t length = 50; length < 140; ++length) {
    const std::string whole = hash_of(std::string_view(text).substr(0, length));
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{7}, std::size_t{63}, std::size_t{64}, std::size_t{65}}) {
      format::Sha256 hash;
      for (std::size_t begin = 0; begin < length; begin += piece)
        hash.update(std::as_bytes(std::span(text)).subspan(begin, std::min(piece, length - begin)));
      CHECK(hex(hash.finish()) == whole);
    }
  }
}

TEST_CASE("the content hash leaves its own field out and nothing else") {
  const std::vector<std::byte> zero = model_file(true, 0, "digits");
  format::Sha256 plain;
  plain.update(zero);
  const format::Digest expected = plain.finish();
  CHECK(format::content_hash(zero) == expected);
  const std::vector<std::byte> filled = model_file(true, 0xAB, "digits");
  REQUIRE(filled != zero);
  CHECK(format::content_hash(filled) == expected);
  CHECK(format::content_hash(model_file(true, 0, "digitz")) != expected);
}

TEST_CASE("a file without the field is hashed whole") {
  const std::vector<std::byte> file = model_file(false, 0, "digits");
  format::Sha256 plain;
  plain.update(file);
  CHECK(format::content_hash(file) == plain.finish());
}
