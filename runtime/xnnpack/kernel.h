// The weights of convolutions and transposed convolutions, as the ways that serve both read them.
#pragma once

#include "runtime/simd/kernels.h"
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

// Element `index` of weights, which belongs to output channel `channel`.
inline float weight_at(const Tensor& weights, std::int64_t index, std::int64_t channel) {
  switch (weights.type) {
    case DataType::kInt8:
      return static_cast<float>(static_cast<const std::int8_t*>(weights.data)[index]) *
             weights.scales[static_cast<std::size_t>(channel)];
    case DataType::kFloat16:
      return math::widen_half(static_cast<const std::uint16_t*>(weights.data)[index]);
    default:
      return weights.floats()[index];
  }
}

// Whether weights and bias are constants that can be packed. int8 weights are the portable rooms'
// where no loop of ours multiplies them.
inline bool has_packable_weights(const Operation& operation) {
  const Tensor& weights = operation.in(1);
  const bool integers = weights.constant && weights.type == DataType::kInt8 &&
                        simd::kernels().multiply_int8 != nullptr;
  return (integers || packable(weights)) && (!operation.has(2) || operation.in(2).constant);
}

}  // namespace figment::xnnpack
