// What the XNNPACK rooms share: fused activations, widened weights, and operators that need nothing
// beside themselves.
#pragma once

#include <xnnpack.h>

#include <cmath>
#include <limits>

#include "runtime/math/half.h"
#include "runtime/xnnpack/fast_room.h"

namespace figment::xnnpack {

// XNNPACK clamps outputs for free; an activation that is a clamp needs no step of its own.
struct Limits {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// The limits that `build.activation` amounts to, and whether that fuses it, noted in `build`.
inline Limits fuse_limits(Build& build) {
  Limits limits;
  const format::Unary* activation = build.activation;
  if (activation == nullptr) return limits;
  if (activation->function() == format::UnaryFunction::Relu) {
    limits.low = 0;
    build.fused_activation = true;
  } else if (activation->function() == format::UnaryFunction::Clip &&
             activation->alpha() < activation->beta()) {
    limits = {activation->alpha(), activation->beta()};
    build.fused_activation = true;
  }
  return limits;
}

// An activation that our own loops apply as they write: clamp(x < 0 ? slope * x : x).
struct Fused {
  float slope = 1;
  Limits limits;
};

inline Fused fuse_into_loop(Build& build) {
  Fused fused{1, fuse_limits(build)};
  if (build.activation != nullptr &&
      build.activation->function() == format::UnaryFunction::LeakyRelu) {
    fused.slope = build.activation->alpha();
    build.fused_activation = true;
  }
  return fused;
}

// Whether these are weights that a room may pack: constants that widen() reads. Products with
// weights of integers are the portable rooms'.
inline bool packable(const Tensor& weights) {
  return weights.constant && weights.type != DataType::kInt8 && weights.type != DataType::kInt4;
}

// Constant weights as float32: in place, or widened into memory that the arena lends until
// give_back(). Null when the arena is full.
inline const float* widen(const Tensor& weights, Arena& arena) {
  if (weights.type == DataType::kFloat32) return weights.floats();
  const auto count = static_cast<std::size_t>(weights.elements());
  auto* wide = static_cast<float*>(arena.borrow(count * sizeof(float)));
  const auto* narrow = static_cast<const std::uint16_t*>(weights.data);
  if (wide != nullptr)
    for (std::size_t i = 0; i < count; ++i) wide[i] = math::widen_half(narrow[i]);
  return wide;
}

inline Status status_of(xnn_status status, const char* kind) {
  if (status == xnn_status_success) return {};
  return backend_error({"XNNPACK refused to create ", kind, " (status ", static_cast<int>(status),
                        "); use the portable backend"});
}

// The same after a create. Where memory ends, XNNPACK may report success and give no operator.
inline Status status_of_created(xnn_status status, const xnn_operator_t& created,
                                const char* kind) {
  return status_of(
      status == xnn_status_success && created == nullptr ? xnn_status_out_of_memory : status, kind);
}

inline const float* bias_of(const Operation& operation, std::size_t index) {
  return operation.has(index) ? operation.in(index).floats() : nullptr;
}

inline std::size_t extent(const Tensor& tensor, int axis) {
  return static_cast<std::size_t>(tensor.shape[axis]);
}

// For rooms whose whole state is one XNNPACK operator.
inline xnn_operator_t operator_in(void* state) { return static_cast<xnn_operator_t>(state); }

inline bool run_operator(const Operation& operation, void* state) {
  return xnn_run_operator(operator_in(state), operation.threads) == xnn_status_success;
}

}  // namespace figment::xnnpack
