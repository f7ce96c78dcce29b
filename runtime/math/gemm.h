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
struct Gemm {
  std::int64_t rows = 0;     // of a and c
  std::int64_t columns = 0;  // rows of b, columns of c
  std::int64_t depth = 0;    // columns of a and b
  const float* a = nullptr;
  std::int64_t a_stride = 0;    // from row to row, in floats
  Tensor b;                     // float32 or float16; rows of `depth` numbers without gaps
  std::int64_t b_first = 0;     // the element of `b` where its first row begins
  const float* bias = nullptr;  // `columns` floats, or null
  float* c = nullptr;
  std::int64_t c_stride = 0;
};

// Room for the few rows of `b` that are widened at a time; none for float32.
std::int64_t gemm_scratch_bytes(DataType b_type, std::int64_t depth);

// `scratch`: as many bytes as gemm_scratch_bytes says, aligned for floats.
void gemm(const Gemm& product, std::byte* scratch);

}  // namespace figment::math
