// The matrix product with int4 weights: a row of b becomes int8 as it comes, with the scales of its
// blocks; gemm_int8.cc multiplies it.
#include <cstring>

#include "runtime/math/int4.h"

namespace figment::math {

void widen_int4(const Tensor& weights, std::int64_t row, std::int64_t depth,
                std::int8_t* __restrict numbers, float* scales) {
  const std::int64_t blocks = int4_blocks(depth);
  std::int64_t bytes = int4_row_bytes(depth);
  const std::uint16_t* narrow = static_cast<const std::uint16_t*>(weights.data);
  const std::int8_t* packed =
      reinterpret_cast<const std::int8_t*>(narrow + weights.shape[0] * blocks) + row * bytes;
  narrow += row * blocks;
  for (std::int64_t block = 0; block < blocks; ++block) {
    scales[block] = widen_bfloat16(narrow[block]);
    // Whole blocks alone, which compilers turn into SIMD: the last one is filled up.
    std::int8_t whole[kInt4Block / 2] = {};
    const std::int8_t* pairs = packed;
    if (bytes < kInt4Block / 2) {
      std::memcpy(whole, packed, static_cast<std::size_t>(bytes));
      pairs = whole;
    }
    for (int i = 0; i < kInt4Block / 2; ++i) {
      // The sign is carried down from the uppermost of four bits.
      numbers[2 * i] = static_cast<std::int8_t>(static_cast<std::int8_t>(pairs[i] << 4) >> 4);
      numbers[2 * i + 1] = static_cast<std::int8_t>(pairs[i] >> 4);
    }
    numbers += kInt4Block;
    packed += kInt4Block / 2;
    bytes -= kInt4Block / 2;
  }
}

}  // namespace figment::math
