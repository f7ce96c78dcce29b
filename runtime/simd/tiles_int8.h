// The product with int8 weights on tile registers, for instruction sets that have them.
#pragma once

#include "runtime/simd/kernels.h"

#ifdef __AMX_INT8__
namespace figment::simd::FIGMENT_ISA {

// `quads` is a multiple of 16. The calling thread's tile registers are empty afterwards.
void multiply_taps_int8(const TapsInt8& task);

}  // namespace figment::simd::FIGMENT_ISA
#endif
