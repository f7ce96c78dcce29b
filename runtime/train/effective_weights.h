// Weights as an operator uses them, made from what learns, and their gradient's way back.
#pragma once

#include "runtime/math/stored_weights.h"
#include "runtime/train/state.h"

namespace figment::train {

using math::widen_constant;

// Of kSpectral: u^T W v, the largest singular value, of what the weights W are now.
double singular_value(const Parameter& parameter);

// One power iteration of a spectral parameter: v = normalize(W^T u), u = normalize(W v).
void follow_singular_vectors(const Parameter& parameter);

// Adapter: the file's weights + left * right. Spectral: weights / their largest singular value, v^T
// W^T u with the singular vectors u, v that follow W by power iteration, one more if `iterate`.
void form_weights(const Parameter& parameter, bool iterate, float* weights);

// Bytes of scratch for what follows.
std::size_t return_scratch_bytes(const Parameter& parameter, pthreadpool* threads);

// From the gradient by the weights used to that of what learns, [parameter.count]; added to it if
// `add`. Adapter: d left = dW right^T, d right = left^T dW. Spectral, with S the singular value and
// W the weights used: (dW - <dW, W> u v^T) / S.
void return_gradient(const Parameter& parameter, const float* weights_gradient, bool add,
                     const Loops& loops, float* gradient, std::byte* scratch, pthreadpool* threads);

// The same of an adapter, from `count` rows of the weights' gradient, `first` on; `add` to what the
// rows before have given to d right.
void return_adapter_rows(const Parameter& parameter, std::int64_t first, std::int64_t count,
                         const float* rows, bool add_left, bool add_right, const Loops& loops,
                         float* gradient, std::byte* scratch, pthreadpool* threads);

}  // namespace figment::train
