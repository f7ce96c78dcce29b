// Counter-based noise: number i of a stream depends on the key and on i alone, so that it can be
// drawn in any order and in pieces, and is the same on every target.
//
// Philox4x32-10 of J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1,
// 2, 3" (SC 2011).
#pragma once

#include <cstdint>

namespace figment::math {

// One block of 128 bits: a bijection of the counter, chosen by the key.
struct Block {
  std::uint32_t words[4];
};
Block philox(const Block& counter, std::uint64_t key);

// What a stream is for; streams of one key are independent.
enum class Stream : std::uint32_t { kNormal = 0, kUniform = 1, kSymbol = 2 };

// Element `index` stands in word index % 4 of this block. `attempt` counts draws that were refused.
Block draw_block(std::uint64_t key, Stream stream, std::uint64_t block, std::uint32_t attempt);

// Four independent numbers from N(0,1), by Box and Muller's method; none is beyond 6.8.
struct FourNormals {
  float values[4];
};
FourNormals normals_of(const Block& block);

// In [0, 1), a multiple of 2^-24.
inline float fraction_of(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24F; }

// values[i] = mean + scale * (number first + i of the key's normal stream), for `count` values.
void draw_normals(std::uint64_t key, std::uint64_t first, float mean, float scale, float* values,
                  std::int64_t count);

}  // namespace figment::math
