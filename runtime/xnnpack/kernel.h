// The weights of convolutions and transposed convolutions, as the ways that serve both read them.
#pragma once

#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {

inline bool is_transposed(const Operation& operation) { return operation.in(1).shape.rank == 5; }

// Of an operation of one group.
struct Kernel {
  int height, width, outputs, inputs;
};

inline Kernel kernel_of(const Operation& operation) {
  const Shape& shape = operation.in(1).shape;
  // [1, height, width, outputs, inputs] or [outputs, height, width, inputs]
  if (is_transposed(operation)) return {shape[1], shape[2], shape[3], shape[4]};
  return {shape[1], shape[2], shape[0], shape[3]};
}

// Element `index` of weights that packable() accepts.
inline float weight_at(const Tensor& weights, std::int64_t index) {
  if (weights.type == DataType::kFloat32) return weights.floats()[index];
  return math::widen_half(static_cast<const std::uint16_t*>(weights.data)[index]);
}

// Whether weights and bias are constants that can be packed.
inline bool has_packable_weights(const Operation& operation) {
  return packable(operation.in(1)) && (!operation.has(2) || operation.in(2).constant);
}

}  // namespace figment::xnnpack
