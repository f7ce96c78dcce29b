// The widest vector of the instruction set that a file of this folder is being compiled for. Such a
// file is compiled once for each (runtime/CMakeLists.txt), into a namespace of the set's name.
//
// Whatever these files define must have internal linkage or lie in that namespace, and they use no
// templates or inline functions of the standard library: of two copies of an inline function the
// linker keeps one, and it may be the one with instructions that this processor lacks.
#pragma once

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace figment::simd::FIGMENT_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

// Vectors of a line of packed weights (packing.h).
#if defined(__aarch64__)
constexpr int kPanelVectors = 4;
#else
constexpr int kPanelVectors = 2;
#endif

using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));
// Floats may stand anywhere.
using Loose =
    float __attribute__((vector_size(kLanes * sizeof(float)), aligned(alignof(float)), may_alias));

// One value of T (a vector, or a float for what is left of a row) from or to memory.
template <typename T>
[[gnu::always_inline]] inline T load(const float* from);
template <>
[[gnu::always_inline]] inline float load<float>(const float* from) {
  return *from;
}
template <>
[[gnu::always_inline]] inline Vector load<Vector>(const float* from) {
  return *reinterpret_cast<const Loose*>(from);
}
[[gnu::always_inline]] inline void store(float* to, float value) { *to = value; }
[[gnu::always_inline]] inline void store(float* to, Vector value) {
  *reinterpret_cast<Loose*>(to) = value;
}

// NaN stays NaN.
template <typename T>
[[gnu::always_inline]] inline T clamp(T value, float low, float high) {
  value = value < low ? T{} + low : value;
  return value > high ? T{} + high : value;
}
// The same in two instructions, which give their second operand where one is NaN. GCC 12 makes four
// of the above.
#if defined(__AVX512F__)
template <>
[[gnu::always_inline]] inline Vector clamp(Vector value, float low, float high) {
  return _mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), value));
}
#elif defined(__AVX2__)
template <>
[[gnu::always_inline]] inline Vector clamp(Vector value, float low, float high) {
  return _mm256_min_ps(_mm256_set1_ps(high), _mm256_max_ps(_mm256_set1_ps(low), value));
}
#endif

}  // namespace
}  // namespace figment::simd::FIGMENT_ISA
