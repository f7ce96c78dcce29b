// The table of one instruction set.
#include "runtime/simd/dot_products.h"
#include "runtime/simd/kernels.h"

#define FIGMENT_TEXT(name) #name
#define FIGMENT_NAME(name) FIGMENT_TEXT(name)

namespace figment::simd::FIGMENT_ISA {

void multiply(const Product& product);
void winograd_input(const WinogradInput& task);
void winograd_output(const WinogradOutput& task);
void sum_columns(const ColumnRow& task);
#ifdef FIGMENT_MULTIPLIES_INT8
void quantize(const QuantizedRows& rows);
void find_extremes(const Windows& windows, int first_row, int end_row);
void quantize_windows(const QuantizedWindows& task);
void multiply_int8(const ProductInt8& product);
#ifdef FIGMENT_MULTIPLIES_CENTERED
void quantize_centered(const CenteredRows& rows);
void multiply_centered(const ProductInt8& product);
#endif
#else
constexpr auto quantize = nullptr;
constexpr auto find_extremes = nullptr;
constexpr auto quantize_windows = nullptr;
constexpr auto multiply_int8 = nullptr;
#endif

#ifndef FIGMENT_MULTIPLIES_CENTERED
constexpr auto quantize_centered = nullptr;
constexpr auto multiply_centered = nullptr;
#endif

#ifdef __AMX_INT8__
void multiply_taps_int8(const TapsInt8& task);
#else
constexpr auto multiply_taps_int8 = nullptr;
#endif

// Measured: compiled for AVX2 and AVX-512 the product is faster than XNNPACK's; elsewhere XNNPACK
// has assembly.
#ifdef __AVX2__
constexpr bool kBeatsLibraries = true;
#else
constexpr bool kBeatsLibraries = false;
#endif

// A row of a tile register, or what one step adds up.
#if defined(__AMX_INT8__)
constexpr int kDepthStep = 64;
#elif defined(FIGMENT_MULTIPLIES_INT8)
constexpr int kDepthStep = 4 * kQuads;
#else
constexpr int kDepthStep = 4;
#endif

#ifdef FIGMENT_MULTIPLIES_INT8
constexpr int kShortQuads = kQuads > 1 ? kQuads : 0;
#else
constexpr int kShortQuads = 0;
#endif

// Measured.
#if defined(__AMX_INT8__)
constexpr double kInt8Speed = 20;
#elif defined(__AVX512VNNI__)
constexpr double kInt8Speed = 3.4;
#elif defined(__ARM_FEATURE_DOTPROD)
constexpr double kInt8Speed = 3;  // counted in instructions
#else
constexpr double kInt8Speed = 1.8;
#endif
extern const Kernels kKernels;
const Kernels kKernels{FIGMENT_NAME(FIGMENT_ISA),
                       kLanes,
                       kPanelVectors* kLanes,
                       kDepthStep,
                       kBeatsLibraries,
                       multiply,
                       winograd_input,
                       winograd_output,
                       sum_columns,
                       kInt8Speed,
                       kShortQuads,
                       quantize,
                       find_extremes,
                       quantize_windows,
                       multiply_int8,
                       quantize_centered,
                       multiply_centered,
                       multiply_taps_int8};

}  // namespace figment::simd::FIGMENT_ISA
