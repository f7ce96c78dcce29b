// Gradients of elementwise functions, for their own operator and for the activation that any
// operator may carry.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::train {

// dx = dy * function'(x), computed from the function's output where that is enough, so that the
// forward may run in place.
struct UnaryGradient {
  // `values`: x or y, as `of` says; dx may be dy.
  using Apply = void (*)(float alpha, float beta, const float* values, const float* dy, float* dx,
                         std::int64_t count);
  enum class Of : std::uint8_t {
    kNothing,  // the slope is the same everywhere; `values` may be anything readable
    kOutput,
    kInput,
    kOutputOrInput,  // the output where alpha and beta are not negative, else the input
  };

  Of of;
  Apply apply;               // of the output, if that is ever enough
  Apply of_input = nullptr;  // kOutputOrInput: of the input
};

// Indexed by format::UnaryFunction; null: left out of this build.
extern const UnaryGradient* const kUnaryGradients[];

// What the gradient of a function with these parameters is computed from: never kOutputOrInput.
inline UnaryGradient::Of unary_gradient_of(format::UnaryFunction function, float alpha,
                                           float beta) {
  using Of = UnaryGradient::Of;
  const Of of = kUnaryGradients[static_cast<std::size_t>(function)]->of;
  if (of != Of::kOutputOrInput) return of;
  return alpha >= 0.0F && beta >= 0.0F ? Of::kOutput : Of::kInput;
}

// dx = dy * function'(x) for `count` values; dx may be dy. `values` is x or y, as
// unary_gradient_of() says.
void apply_unary_gradient(format::UnaryFunction function, float alpha, float beta,
                          const float* values, const float* dy, float* dx, std::int64_t count,
                          pthreadpool* threads);

}  // namespace figment::train
