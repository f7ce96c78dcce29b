// From exact sums of integers to the numbers of a product with int8 weights: the few steps in
// float32 that every loop shares, those of runtime/math/gemm_int8.cc. Files that include this are
// compiled without fused rounding.
#pragma once

#include "runtime/simd/dot_products.h"

#ifdef FIGMENT_MULTIPLIES_INT8
namespace figment::simd::FIGMENT_ISA {
namespace {

// What stands in front of a panel (packing.h) for one vector of its columns.
struct ColumnHeads {
  Vector scales, biases;
  IntegerLanes weight_sums;

  // `line`: floats from line to line.
  ColumnHeads(const float* heads, int line)
      : scales(load<Vector>(heads)),
        biases(load<Vector>(heads + line)),
        weight_sums((IntegerLanes)load<Vector>(heads + 2 * line)) {}
};

// Sums of a row of this step, in which the integer `least` stands as 0; without the bias.
[[gnu::always_inline]] inline Vector scale_sums(IntegerLanes sums, float step, std::int32_t least,
                                                const ColumnHeads& heads) {
  const IntegerLanes exact = sums + least * heads.weight_sums;
  return __builtin_convertvector(exact, Vector) * (step * heads.scales);
}

}  // namespace
}  // namespace figment::simd::FIGMENT_ISA
#endif
