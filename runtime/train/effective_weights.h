// Weights as an operator uses them, made from what learns, and their gradient's way back.
#pragma once

#include "runtime/math/stored_weights.h"
#include "runtime/train/state.h"

namespace figment::train {

using math::widen_constant;

// Of kSpectral: u^T W v, the largest singular value, of what the weights W are now; 0 before the
// first step, for v is not there yet.
double singular_value(const Parameter& parameter);

// Bytes of scratch for the two below.
std::size_t form_scratch_bytes(const Parameter& parameter, pthreadpool* threads);

// Adapter: the file's weights + left * right. Spectral: weights / their largest singular value, v^T
// W^T u with the singular vectors u, v that follow W by power iteration, one more if `iterate`.
void form_weights(const Parameter& parameter, bool iterate, const Loops& loops, float* weights,
                  std::byte* scratch, pthreadpool* threads);

// From the gradient by the weights used to that of what learns, [parameter.count]; added to it if
// `add`. Adapter: d left = dW right^T, d right = left^T dW. Spectral, with S the singular value and W the
// weights used: (dW - <dW, W> u v^T) / S.
void return_gradient(const Parameter& parameter, const float* weights_gradient, bool add,
                     const Loops& loops, float* gradient, std::byte* scratch, pthreadpool* threads);

}  // namespace figment::train
