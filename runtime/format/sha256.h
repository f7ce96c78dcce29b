// SHA-256 (FIPS 180-4), for content hashes and goldens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace figment::format {

using Digest = std::array<std::uint8_t, 32>;

// Takes bytes in pieces of any size; of use for one message.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  Digest finish();

 private:
  void compress(const std::byte* block);

  // The fractional parts of the square roots of the first eight primes.
  std::uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::byte block_[64] = {};
  std::uint64_t length_ = 0;  // bytes so far
};

struct Hash;  // the format's 32 bytes

// SHA-256 of a file with the 32 bytes of `field`, which stands in it, taken as zero: what such a
// field must hold. Null: all bytes count.
Digest hash_around(std::span<const std::byte> file, const Hash* field);

// The same of a model's file and Model.content_hash. `file` has passed the FlatBuffers verifier.
Digest content_hash(std::span<const std::byte> file);

}  // namespace figment::format
