// int4 weights as they stand in files: rows in blocks of 32 numbers, each with a scale of its own.
//
// First come the scales of all rows, one after another, as bfloat16: the upper half of a float32's
// bits. Then the rows, two numbers a byte, the first in the low four bits; a row begins at a byte
// of its own, so that one of odd length leaves four bits unused at its end.
#pragma once

#include <bit>
#include <cstdint>

#include "figment/figment.h"

namespace figment::math {

// Numbers in a block; a row's last one may have fewer.
inline constexpr int kInt4Block = 32;
inline constexpr int kMinInt4 = -8;
inline constexpr int kMaxInt4 = 7;

// Of a row of `depth` numbers.
constexpr std::int64_t int4_blocks(std::int64_t depth) {
  return (depth + kInt4Block - 1) / kInt4Block;
}
constexpr std::int64_t int4_row_bytes(std::int64_t depth) { return (depth + 1) / 2; }

// How many blocks, and thus scales, a constant of this shape has, and its bytes with the scales.
// Its last axis is that of the rows.
inline std::int64_t int4_row_length(const Shape& shape) {
  return shape.rank > 0 ? shape[shape.rank - 1] : 1;
}
inline std::int64_t int4_scale_count(const Shape& shape) {
  const std::int64_t depth = int4_row_length(shape);
  return shape.elements() / depth * int4_blocks(depth);
}
inline std::int64_t int4_bytes(const Shape& shape) {
  const std::int64_t depth = int4_row_length(shape);
  return int4_scale_count(shape) * std::int64_t{sizeof(std::uint16_t)} +
         shape.elements() / depth * int4_row_bytes(depth);
}

// Scales are positive, finite and normal.
inline bool is_int4_scale(std::uint16_t bits) { return bits >= 0x0080 && bits < 0x7f80; }
inline float widen_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

// Writes row `row` of `weights`, a matrix of rows of `depth` numbers, into `numbers`, which have
// room for whole blocks, and the scales of its blocks into `scales`.
void widen_int4(const Tensor& weights, std::int64_t row, std::int64_t depth, std::int8_t* numbers,
                float* scales);

}  // namespace figment::math
