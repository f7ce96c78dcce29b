// Elementwise functions, for their own operator and for the activation that any operator may carry.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::ops {

// A function: which parameters it reads and what they may be, and y = function(x, alpha, beta).
struct UnaryRow {
  enum class Parameters : std::uint8_t { kNone, kAlpha, kDivisor, kBoth, kLimits };

  Parameters parameters;
  void (*apply)(float alpha, float beta, const float* x, float* y, std::int64_t count);
};

// Indexed by format::UnaryFunction; null: left out of this build.
extern const UnaryRow* const kUnaryRows[];

// y[i] = function(x[i]) for `count` values; y may be x. `function` and its parameters have passed
// check_unary.
void apply_unary(format::UnaryFunction function, float alpha, float beta, const float* x, float* y,
                 std::int64_t count);

// Refuses functions that this build does not know, and parameters that are not finite (Clip's
// limits may be infinite) where the function reads them.
Status check_unary(format::UnaryFunction function, float alpha, float beta);

}  // namespace figment::ops
