// Elementwise functions y = f(x): dx = dy * f'(x). One table, a row a function, as in
// runtime/ops/unary.cc.
//
// At a kink the slope is that of the side where the output is flatter, as in PyTorch: Relu,
// LeakyRelu, Elu, Abs (0), HardSigmoid and Clip (0 at both limits, as PyTorch's hardtanh has it).
// Floor, Ceil, Round and Sign have slope 0 everywhere.
#include "runtime/train/unary.h"

#include <cmath>
#include <cstring>

#include "runtime/math/trigonometry.h"
#include "runtime/ops/unary.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {
namespace {

using format::UnaryFunction;
using math::absolute;
using Of = UnaryGradient::Of;

// x * gate, where a closed gate gives 0 even for an infinite x.
FIGMENT_INLINE float gated(float x, float gate) { return gate == 0.0F ? 0.0F : x * gate; }

// The normal distribution up to x, and x times its density e / sqrt(2 pi), e = e^(-x^2 / 2). The
// part beyond |x| is e times a polynomial of t (Abramowitz and Stegun 7.1.26; within 1e-7), so that
// one exponential does for both.
FIGMENT_INLINE float gelu_slope(float x) {
  const float e = math::exp(-0.5F * (x * x));
  const float t = 1.0F / (1.0F + 0.231641888F * absolute(x));
  float p = 0.530702715F;
  p = p * t + -0.726576014F;
  p = p * t + 0.710706871F;
  p = p * t + -0.142248368F;
  p = p * t + 0.127414796F;
  const float beyond = e * (p * t);
  return (x < 0.0F ? beyond : 1.0F - beyond) + gated(x, 0.398942280F * e);
}

// y = x * (1 + t) / 2, t = tanh(inner): (1 + t) / 2 + x * (1 - t^2) / 2 * inner'
FIGMENT_INLINE float gelu_tanh_slope(float x) {
  constexpr float kRoot = 0.797884561F;  // sqrt(2 / pi)
  const float square = x * x;
  const float t = math::tanh(kRoot * (x + 0.044715F * (square * x)));
  return 0.5F + 0.5F * t +
         gated(0.5F * x * (kRoot * (1.0F + 3.0F * 0.044715F * square)), 1.0F - t * t);
}

FIGMENT_INLINE float swish_slope(float x, float alpha) {
  const float s = math::sigmoid(alpha * x);
  return s + gated(alpha * x, s * (1.0F - s));
}

// y = x * t, t = tanh(softplus(x)) = n / (n + 2) with n = e * (e + 2), e = e^x:
// t + x * (1 - t^2) * sigmoid(x)
FIGMENT_INLINE float mish_slope(float x) {
  const float limited = x > 20.0F ? 20.0F : x;  // from there on t is 1
  const float e = math::exp(limited);
  const float n = e * (e + 2.0F);
  const float rest = 2.0F / (n + 2.0F);  // 1 - t
  return 1.0F - rest + gated(limited, rest * (2.0F - rest) * math::sigmoid(x));
}

// dx = function(value, dy, alpha, beta), through a block of its own: so the compiler need not fear
// that dx overlaps dy.
template <auto kFunction>
void each(float alpha, float beta, const float* values, const float* dy, float* dx,
          std::int64_t count) {
  constexpr std::int64_t kBlock = 64;
  float block[kBlock];
  float last_values[kBlock] = {};
  float last_dy[kBlock] = {};
  for (std::int64_t done = 0; done < count; done += kBlock) {
    const float* block_values = values + done;
    const float* block_dy = dy + done;
    std::size_t bytes = sizeof block;
    if (count - done < kBlock) {
      bytes = static_cast<std::size_t>(count - done) * sizeof(float);
      block_values = static_cast<float*>(std::memcpy(last_values, block_values, bytes));
      block_dy = static_cast<float*>(std::memcpy(last_dy, block_dy, bytes));
    }
    for (std::int64_t i = 0; i < kBlock; ++i)
      block[i] = kFunction(block_values[i], block_dy[i], alpha, beta);
    std::memcpy(dx + done, block, bytes);
  }
}

FIGMENT_INLINE float zero(float, float, float, float) { return 0.0F; }
FIGMENT_INLINE float leaky(float v, float dy, float slope, float) {
  return v > 0.0F ? dy : slope * dy;
}
FIGMENT_INLINE float above(float v, float dy, float threshold, float) {
  return v > threshold ? dy : 0.0F;
}

}  // namespace

// ---- The functions, each by itself so that a build may leave it out. v is x or y. GCC 12 needs
// parentheses around a > here ----

namespace unary {

extern const UnaryGradient kIdentity{Of::kNothing,
                                     each<[](float, float dy, float, float) { return dy; }>};
extern const UnaryGradient kAbs{Of::kInput, each<[](float v, float dy, float, float) {
                                  return 0.0F < absolute(v) ? dy * math::with_sign(1.0F, v) : 0.0F;
                                }>};
extern const UnaryGradient kNeg{Of::kNothing,
                                each<[](float, float dy, float, float) { return -dy; }>};
extern const UnaryGradient kSqrt{
    Of::kOutput, each<[](float v, float dy, float, float) { return 0.5F * dy / v; }>};
extern const UnaryGradient kExp{Of::kOutput,
                                each<[](float v, float dy, float, float) { return dy * v; }>};
extern const UnaryGradient kLog{Of::kInput,
                                each<[](float v, float dy, float, float) { return dy / v; }>};
extern const UnaryGradient kErf{
    Of::kInput,
    each<[](float v, float dy, float, float) { return dy * (1.12837917F * math::exp(-(v * v))); }>};
extern const UnaryGradient kRelu{
    Of::kOutput, each<[](float v, float dy, float, float) { return (v > 0.0F) ? dy : 0.0F; }>};
extern const UnaryGradient kLeakyRelu{Of::kOutputOrInput, each<leaky>, each<leaky>};
extern const UnaryGradient kElu{
    Of::kOutputOrInput,
    each<[](float v, float dy, float alpha, float) { return (v > 0.0F) ? dy : dy * (v + alpha); }>,
    each<[](float v, float dy, float alpha, float) {
      return (v > 0.0F) ? dy : dy * (alpha * math::exp(v));
    }>};
extern const UnaryGradient kSelu{Of::kOutputOrInput,
                                 each<[](float v, float dy, float alpha, float gamma) {
                                   return dy * ((v > 0.0F) ? gamma : v + gamma * alpha);
                                 }>,
                                 each<[](float v, float dy, float alpha, float gamma) {
                                   return dy * (gamma * ((v > 0.0F) ? 1.0F : alpha * math::exp(v)));
                                 }>};
extern const UnaryGradient kSigmoid{
    Of::kOutput, each<[](float v, float dy, float, float) { return dy * (v * (1.0F - v)); }>};
extern const UnaryGradient kHardSigmoid{Of::kOutput,
                                        each<[](float v, float dy, float alpha, float) {
                                          return ((v > 0.0F) & (v < 1.0F)) ? dy * alpha : 0.0F;
                                        }>};
extern const UnaryGradient kHardSwish{Of::kInput, each<[](float v, float dy, float, float) {
                                        const float slope = v / 3.0F + 0.5F;
                                        return dy * (v < -3.0F ? 0.0F : (v > 3.0F) ? 1.0F : slope);
                                      }>};
extern const UnaryGradient kTanh{
    Of::kOutput, each<[](float v, float dy, float, float) { return dy * (1.0F - v * v); }>};
// sigmoid(x) = 1 - e^-y
extern const UnaryGradient kSoftplus{
    Of::kOutput,
    each<[](float v, float dy, float, float) { return -dy * math::expm1_negative(-v); }>};
extern const UnaryGradient kClip{Of::kOutput, each<[](float v, float dy, float low, float high) {
                                   return ((v > low) & (v < high)) ? dy : 0.0F;
                                 }>};
extern const UnaryGradient kGelu{
    Of::kInput, each<[](float v, float dy, float, float) { return dy * gelu_slope(v); }>};
extern const UnaryGradient kGeluTanh{
    Of::kInput, each<[](float v, float dy, float, float) { return dy * gelu_tanh_slope(v); }>};
extern const UnaryGradient kSwish{
    Of::kInput,
    each<[](float v, float dy, float alpha, float) { return dy * swish_slope(v, alpha); }>};
extern const UnaryGradient kMish{
    Of::kInput, each<[](float v, float dy, float, float) { return dy * mish_slope(v); }>};
extern const UnaryGradient kSin{
    Of::kInput, each<[](float v, float dy, float, float) { return dy * math::cos(v); }>};
extern const UnaryGradient kCos{
    Of::kInput, each<[](float v, float dy, float, float) { return -dy * math::sin(v); }>};
extern const UnaryGradient kFloor{Of::kNothing, each<zero>};
extern const UnaryGradient kCeil{Of::kNothing, each<zero>};
extern const UnaryGradient kRound{Of::kNothing, each<zero>};
extern const UnaryGradient kSign{Of::kNothing, each<zero>};
extern const UnaryGradient kReciprocal{
    Of::kOutput, each<[](float v, float dy, float, float) { return -dy * (v * v); }>};
// e^(x/alpha) = y / alpha + 1
extern const UnaryGradient kCelu{Of::kOutput, each<[](float v, float dy, float alpha, float) {
                                   return (v > 0.0F) ? dy : dy * (v / alpha + 1.0F);
                                 }>};
extern const UnaryGradient kThresholdedRelu{Of::kOutputOrInput, each<above>, each<above>};
// 1 / (1 + |x|) = 1 - |y|
extern const UnaryGradient kSoftsign{Of::kOutput, each<[](float v, float dy, float, float) {
                                       const float rest = 1.0F - absolute(v);
                                       return dy * (rest * rest);
                                     }>};

}  // namespace unary

void apply_unary_gradient(UnaryFunction function, float alpha, float beta, const float* values,
                          const float* dy, float* dx, std::int64_t count, pthreadpool* threads) {
  const UnaryGradient& row = *kUnaryGradients[static_cast<std::size_t>(function)];
  const bool of_other_input =
      row.of_input != nullptr && unary_gradient_of(function, alpha, beta) == Of::kInput;
  const UnaryGradient::Apply apply = of_other_input ? row.of_input : row.apply;
  share_elements(threads, count, [&](std::int64_t first, std::int64_t last) {
    apply(alpha, beta, values + first, dy + first, dx + first, last - first);
  });
}

namespace {

Of read_by(const Call& call) {
  const auto& options = call.as<format::Unary>();
  return unary_gradient_of(options.function(), options.alpha(), options.beta());
}

Reads reads(const Call& call, Inputs) {
  const Of of = read_by(call);
  return {.inputs = of == Of::kInput ? input_bit(0) : kNoInputs, .output = of == Of::kOutput};
}

// The operator's own, shared among the threads.
void forward(const Call& call) {
  const auto& options = call.as<format::Unary>();
  const float* x = call.in(0).floats();
  float* y = call.out().floats();
  share_elements(call.operation.threads, call.out().elements(),
                 [&](std::int64_t first, std::int64_t last) {
                   ops::apply_unary(options.function(), options.alpha(), options.beta(), x + first,
                                    y + first, last - first);
                 });
}

void backward(const Call& call) {
  const auto& options = call.as<format::Unary>();
  const Of of = read_by(call);
  const float* values = of == Of::kInput    ? call.in(0).floats()
                        : of == Of::kOutput ? call.out().floats()
                                            : call.output_gradient;
  if (float* gradient = call.gradient(0))
    apply_unary_gradient(options.function(), options.alpha(), options.beta(), values,
                         call.output_gradient, gradient, call.out().elements(),
                         call.operation.threads);
}

}  // namespace

extern const BackwardRoom kUnary;
const BackwardRoom kUnary{.differentiable = input_bit(0),
                          .in_place = true,
                          .reads = reads,
                          .forward = forward,
                          .backward = backward};

}  // namespace figment::train
