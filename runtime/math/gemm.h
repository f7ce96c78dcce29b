// The matrix product that dense layers, matrix products and convolutions share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "figment/figment.h"

namespace figment::math {

// c[m, n] = bias[n] + sum over k of a[m, k] * b[n, k].
//
// Every sum is formed in one order, whatever the sizes, the compiler and the chip: product k goes
// to partial sum k modulo 8, each in the order of k; the eight are then added as a tree, and the
// bias last.
//
// Where b is int8 (gemm_int8.cc), each row of `a` becomes integers of at most 256 steps between its
// smallest and largest number and 0, rounded to nearest even. Their products with b are added up
// exactly, and only the sum becomes float32 again: sum * (step of the row * scale of the channel) +
// bias. A row that holds an infinity or a NaN, or spans more than float32 holds, gives NaN
// throughout.
//
// int4 (math/int4.h) is the same for each block of b: its sum is exact, sum * (step of the row *
// scale of the block) is added to those of the blocks before it, and the bias comes last.
struct Gemm {
  std::int64_t rows = 0;     // of a and c
  std::int64_t columns = 0;  // rows of b, columns of c
  std::int64_t depth = 0;    // columns of a and b
  const float* a = nullptr;
  std::int64_t a_stride = 0;  // from row to row, in floats
  // float32, float16 or int8: rows of `depth` numbers without gaps; or int4, [columns, depth].
  Tensor b;
  std::int64_t b_first = 0;  // the element of `b` where its first row begins; int4: 0
  // int8: row n of b has scale first_channel + n, or + n modulo `channels` where that is not 0.
  std::int64_t first_channel = 0;
  std::int64_t channels = 0;
  const float* bias = nullptr;  // `columns` floats, or null
  float* c = nullptr;
  std::int64_t c_stride = 0;
};

// The most columns of int8 matrices: sums of longer ones might not fit into 32 bits.
inline constexpr std::int64_t kMaxInt8Depth = 65536;

// Room for the few rows of a float16 `b` that are widened at a time, or for those of `a` that are
// integers for a `b` of integers; none for float32.
std::int64_t gemm_scratch_bytes(DataType b_type, std::int64_t depth, std::int64_t rows);

// `scratch`: as many bytes as gemm_scratch_bytes says, aligned for floats.
void gemm(const Gemm& product, std::byte* scratch);

// The same where b is int8 or int4 (gemm_int8.cc); gemm() calls it.
std::int64_t gemm_integers_scratch_bytes(DataType b_type, std::int64_t depth, std::int64_t rows);
void gemm_integers(const Gemm& product, std::byte* scratch);

}  // namespace figment::math
