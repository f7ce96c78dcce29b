// Damage to a file's bytes.
#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <cstdint>

namespace figment::fuzz {
namespace {

using Random = std::mt19937_64;

constexpr std::size_t kLongestBlock = 256;
constexpr std::size_t kMostGrowth = std::size_t{1} << 20;

std::size_t block_length(std::size_t most, Random& random) {
  return 1 + below(std::min(most, below(2, random) == 0 ? std::size_t{8} : kLongestBlock), random);
}

void flip_bits(std::string& bytes, Random& random) {
  for (std::size_t left = 1 + below(8, random); left > 0; --left)
    bytes[below(bytes.size(), random)] ^= static_cast<char>(1U << below(8, random));
}

void replace_bytes(std::string& bytes, Random& random) {
  const std::size_t at = below(bytes.size(), random);
  const std::size_t end = std::min(bytes.size(), at + block_length(4, random));
  for (std::size_t index = at; index < end; ++index)
    bytes[index] = static_cast<char>(below(256, random));
}

// Little-endian or big-endian, as counts, lengths, offsets and extents stand in files.
void place_number(std::string& bytes, Random& random) {
  constexpr std::uint64_t kNumbers[] = {
      0,          1,          2,          0x7f,       0x80,       0xff,       0x7fff,
      0x8000,     0xffff,     1000000,    0x1000000,  0x7ffffffe, 0x7fffffff, 0x80000000,
      0xfffffffe, 0xffffffff, 1ULL << 32, 1ULL << 40, ~0ULL >> 1, 1ULL << 63, ~0ULL};
  const std::uint64_t number = kNumbers[below(std::size(kNumbers), random)];
  const std::size_t width = std::size_t{1} << below(4, random);
  const bool big_endian = below(4, random) == 0;
  const std::size_t at = below(bytes.size(), random);
  for (std::size_t index = 0; index < width && at + index < bytes.size(); ++index)
    bytes[at + index] =
        static_cast<char>(number >> (8 * (big_endian ? width - 1 - index : index)) & 255);
}

// Digits in texts (JSON) become other numbers.
void place_digits(std::string& bytes, Random& random) {
  constexpr const char* kNumbers[] = {
      "0",    "-1", "2147483647", "4294967296",          "1e9",  "999999999", "1.5",
      "null", "[]", "true",       "9223372036854775807", "\"\"", "{}",        "1000000"};
  const std::size_t at = bytes.find_first_of("0123456789", below(bytes.size(), random));
  if (at == std::string::npos) return;
  const std::size_t end = std::min(bytes.find_first_not_of("0123456789", at), bytes.size());
  bytes.replace(at, end - at, kNumbers[below(std::size(kNumbers), random)]);
}

// A word of the file in the place of another: kinds of layers, names, types.
void place_word(std::string& bytes, Random& random) {
  constexpr const char* kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  const auto find_word = [&](std::size_t& end) {
    const std::size_t begin = bytes.find_first_of(kLetters, below(bytes.size(), random));
    end = std::min(bytes.find_first_not_of(kLetters, begin), bytes.size());
    return begin;
  };
  std::size_t from_end = 0, to_end = 0;
  const std::size_t from = find_word(from_end), to = find_word(to_end);
  if (from == std::string::npos || to == std::string::npos) return;
  bytes.replace(to, to_end - to, std::string(bytes, from, from_end - from));
}

void remove_block(std::string& bytes, Random& random) {
  bytes.erase(below(bytes.size(), random), block_length(bytes.size(), random));
}

void insert_block(std::string& bytes, const std::string& from, Random& random) {
  if (from.empty()) return;
  const std::size_t length = block_length(from.size(), random);
  const std::string block = from.substr(below(from.size() - length + 1, random), length);
  const std::size_t at = below(bytes.size() + 1, random);
  if (below(2, random) == 0)
    bytes.insert(at, block);
  else
    bytes.replace(at, std::min(length, bytes.size() - at), block);
}

void repeat_block(std::string& bytes, Random& random) {
  const std::size_t length = block_length(std::min<std::size_t>(bytes.size(), 64), random);
  const std::size_t at = below(bytes.size() - length + 1, random);
  // Now and then so often that what small files are allowed does not count.
  const std::size_t growth = below(16, random) == 0 ? 16 * kMostGrowth : kMostGrowth;
  const std::size_t times = 1 + below(growth, random) / length;
  // Nested lists and calls are walked by functions that call themselves.
  constexpr const char* kNested[] = {"[", "{\"a\":", "(", "0,"};
  const std::size_t nested = below(8, random);
  const std::string block =
      nested < std::size(kNested) ? std::string(kNested[nested]) : bytes.substr(at, length);
  std::string blocks;
  blocks.reserve(times * block.size());
  for (std::size_t time = 0; time < times; ++time) blocks += block;
  bytes.insert(at, blocks);
}

std::string noise(const std::string& start, Random& random) {
  std::string bytes = start.substr(0, 3 + below(64, random));
  for (std::size_t left = below(2000, random); left > 0; --left)
    bytes += static_cast<char>(below(256, random));
  return bytes;
}

}  // namespace

std::size_t below(std::size_t count, Random& random) { return random() % count; }

std::string mutate(const std::string& bytes, const std::string& other, Random& random) {
  const std::size_t way = below(100, random);
  if (way < 5) return noise(bytes, random);
  std::string changed = bytes;
  if (way < 15) changed.resize(below(bytes.size() + 1, random));
  for (std::size_t left = 1 + below(3, random); left > 0 && way >= 10; --left) {
    if (changed.empty()) break;
    switch (below(way >= 97 ? 10 : 9, random)) {
      case 0:
      case 1:
        flip_bits(changed, random);
        break;
      case 2:
        replace_bytes(changed, random);
        break;
      case 3:
        place_number(changed, random);
        break;
      case 4:
        place_digits(changed, random);
        break;
      case 5:
        remove_block(changed, random);
        break;
      case 6:
        insert_block(changed, bytes, random);
        break;
      case 7:
        insert_block(changed, other, random);
        break;
      case 8:
        place_word(changed, random);
        break;
      default:
        repeat_block(changed, random);
    }
  }
  return changed;
}

}  // namespace figment::fuzz
