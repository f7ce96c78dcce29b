// The weights of Winograd's ways at every point.
#pragma once

#include "runtime/simd/packing.h"
#include "runtime/xnnpack/winograd_shape.h"

namespace figment::xnnpack {

// Writes the weights of every point, one after another: packed, or where `packing` is null as
// [columns, inputs].
void transform_weights(const Operation& operation, const WinogradGeometry& geometry,
                       const WinogradTiling& tiling, const simd::Packing* packing, float* to);

// The same as integers for simd::Kernels::multiply_centered, with a scale for each point and
// column. `column`: memory for the weights of one column, [points, inputs].
void transform_weights(const Operation& operation, const WinogradGeometry& geometry,
                       const WinogradTiling& tiling, const simd::PackingInt8& packing,
                       float* column, std::byte* to);

}  // namespace figment::xnnpack
