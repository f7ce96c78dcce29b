// Counter-based noise: Philox4x32-10, and normal numbers made of it.
#include "runtime/math/noise.h"

#include <cmath>

#include "runtime/math/elementary.h"

namespace figment::math {

Block philox(const Block& counter, std::uint64_t key) {
  constexpr int kRounds = 10;
  std::uint32_t key_low = static_cast<std::uint32_t>(key);
  std::uint32_t key_high = static_cast<std::uint32_t>(key >> 32);
  Block block = counter;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53U} * block.words[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57U} * block.words[2];
    block = {{static_cast<std::uint32_t>(second >> 32) ^ block.words[1] ^ key_low,
              static_cast<std::uint32_t>(second),
              static_cast<std::uint32_t>(first >> 32) ^ block.words[3] ^ key_high,
              static_cast<std::uint32_t>(first)}};
    key_low += 0x9E3779B9U;   // the golden ratio
    key_high += 0xBB67AE85U;  // sqrt(3) - 1
  }
  return block;
}

Block draw_block(std::uint64_t key, Stream stream, std::uint64_t block, std::uint32_t attempt) {
  const Block counter = {{static_cast<std::uint32_t>(block),
                          static_cast<std::uint32_t>(block >> 32), attempt,
                          static_cast<std::uint32_t>(stream)}};
  return philox(counter, key);
}

FourNormals normals_of(const Block& block) {
  FourNormals result;
  for (int pair = 0; pair < 2; ++pair) {
    // In (0, 1]: the smallest, 2^-33, bounds the radius by sqrt(66 ln 2) = 6.77.
    const float uniform = static_cast<float>(block.words[2 * pair]) * 0x1p-32F + 0x1p-33F;
    const float radius = std::sqrt(-2.0F * log(uniform));
    const SineCosine direction = sine_cosine(block.words[2 * pair + 1]);
    result.values[2 * pair] = radius * direction.cosine;
    result.values[2 * pair + 1] = radius * direction.sine;
  }
  return result;
}

void draw_normals(std::uint64_t key, std::uint64_t first, float mean, float scale, float* values,
                  std::int64_t count) {
  for (std::int64_t done = 0; done < count;) {
    const std::uint64_t index = first + static_cast<std::uint64_t>(done);
    const FourNormals four = normals_of(draw_block(key, Stream::kNormal, index / 4, 0));
    for (std::uint64_t lane = index % 4; lane < 4 && done < count; ++lane, ++done)
      values[done] = mean + scale * four.values[lane];
  }
}

}  // namespace figment::math
