// int4 weights as files hold them, written out by hand: the tests' own reading of model.fbs.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace figment::testing {

// The upper half of a float32's bits; the lower half of scales must be 0.
inline float as_bfloat16(float value) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xffff0000U);
}

// Integers [rows, depth] between -8 and 7, and a scale for each 32 of a row, the last of which may
// stand for fewer.
inline std::vector<std::byte> pack_int4(const std::vector<std::int32_t>& integers,
                                        const std::vector<float>& scales, std::size_t depth) {
  std::vector<std::byte> bytes;
  for (const float scale : scales) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(scale);
    bytes.push_back(static_cast<std::byte>(bits >> 16));
    bytes.push_back(static_cast<std::byte>(bits >> 24));
  }
  for (std::size_t row = 0; row < integers.size(); row += depth)
    for (std::size_t i = 0; i < depth; i += 2) {
      const int low = integers[row + i] & 15;
      const int high = i + 1 < depth ? integers[row + i + 1] & 15 : 0;
      bytes.push_back(static_cast<std::byte>(high << 4 | low));
    }
  return bytes;
}

}  // namespace figment::testing
