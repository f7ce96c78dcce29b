// A Feistel network over the least even number of bits that holds the count (M. Luby, C. Rackoff,
// "How to construct pseudorandom permutations from pseudorandom functions", 1988). What falls
// outside the count is sent through again, which leaves a permutation of what is inside.
#include "targets/host/data/shuffle.h"

#include <bit>

namespace figment::host {
namespace {

// The finalizer of splitmix64 (S. Vigna).
std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
  return bits ^ bits >> 31;
}

}  // namespace

Shuffle::Shuffle(std::int64_t count, std::uint64_t seed, std::int64_t epoch)
    : count_(static_cast<std::uint64_t>(count)),
      half_bits_((static_cast<int>(std::bit_width(count_ - 1)) + 1) / 2),
      key_(mix(seed + 0x9e3779b97f4a7c15U) ^ mix(static_cast<std::uint64_t>(epoch))) {}

std::int64_t Shuffle::operator[](std::int64_t position) const {
  constexpr std::uint64_t kRounds = 6;
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  auto value = static_cast<std::uint64_t>(position);
  do {
    std::uint64_t left = value >> half_bits_, right = value & mask;
    for (std::uint64_t round = 1; round <= kRounds; ++round) {
      const std::uint64_t next = left ^ (mix(key_ + mix(right + (round << 56))) & mask);
      left = right;
      right = next;
    }
    value = left << half_bits_ | right;
  } while (value >= count_);
  return static_cast<std::int64_t>(value);
}

}  // namespace figment::host
