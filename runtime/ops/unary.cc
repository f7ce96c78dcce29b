// Elementwise functions: one table, a row a function. CMake makes the table from the schema's enum
// UnaryFunction, whose member Relu is kRelu here.
//
// Every function is written without branches, so that its loop is vectorized; wherever a function
// has a limit at an infinity, that limit is its value there (Swish(-infinity) is 0, not NaN).
#include "runtime/ops/unary.h"

#include <cmath>
#include <cstring>

#include "runtime/math/trigonometry.h"
#include "runtime/ops/checks.h"

namespace figment::ops {
namespace {

using format::UnaryFunction;
using math::absolute;
using Parameters = UnaryRow::Parameters;

// x in [low, high]; NaN stays.
FIGMENT_INLINE float clamp(float x, float low, float high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

// x * gate, where a closed gate gives 0 even for an infinite x.
FIGMENT_INLINE float gated(float x, float gate) { return gate == 0.0F ? 0.0F : x * gate; }

// x * tanh(softplus(x)); with e = e^x that is x * n / (n + 2), n = e * (e + 2).
FIGMENT_INLINE float mish(float x) {
  const float e = math::exp(clamp(x, -104.0F, 20.0F));  // from 20 on the quotient is 1
  const float n = e * (e + 2.0F);
  return gated(x, n / (n + 2.0F));
}

FIGMENT_INLINE float gelu_tanh(float x) {
  constexpr float kRoot = 0.797884561F;  // sqrt(2 / pi)
  return gated(x, 0.5F + 0.5F * math::tanh(kRoot * (x + 0.044715F * (x * x * x))));
}

// To the nearest integer, halves to even; numbers from 2^23 on are integers. Keeps the sign of
// zero.
FIGMENT_INLINE float round_even(float x) {
  const float size = absolute(x);
  return size < 0x1p23F ? math::with_sign((size + 0x1p23F) - 0x1p23F, x) : x;
}
FIGMENT_INLINE float floor(float x) {
  const float nearest = round_even(x);
  return nearest > x ? nearest - 1.0F : nearest;
}
FIGMENT_INLINE float ceil(float x) {
  const float nearest = round_even(x);
  return nearest < x ? math::with_sign(absolute(nearest + 1.0F), x) : nearest;
}

// y = function(x, alpha, beta), through a block of its own: so the compiler need not fear that y
// overlaps x, and one loop of fixed length serves the rest too. NaN leaves with one bit pattern.
template <auto kFunction>
void each(float alpha, float beta, const float* x, float* y, std::int64_t count) {
  constexpr std::int64_t kBlock = 32;
  float block[kBlock] = {};
  for (std::int64_t done = 0; done < count; done += kBlock) {
    const std::int64_t left = count - done;
    const std::size_t bytes =
        static_cast<std::size_t>(left < kBlock ? left : kBlock) * sizeof(float);
    std::memcpy(block, x + done, bytes);
    for (float& value : block) value = math::one_nan(kFunction(value, alpha, beta));
    std::memcpy(y + done, block, bytes);
  }
}

}  // namespace

// ---- The functions, each by itself so that a build may leave it out ----

namespace unary {

extern const UnaryRow kIdentity{Parameters::kNone, each<[](float x, float, float) { return x; }>};
extern const UnaryRow kAbs{Parameters::kNone,
                           each<[](float x, float, float) { return absolute(x); }>};
extern const UnaryRow kNeg{Parameters::kNone, each<[](float x, float, float) { return -x; }>};
extern const UnaryRow kSqrt{Parameters::kNone,
                            each<[](float x, float, float) { return std::sqrt(x); }>};
extern const UnaryRow kExp{Parameters::kNone,
                           each<[](float x, float, float) { return math::exp(x); }>};
extern const UnaryRow kLog{Parameters::kNone,
                           each<[](float x, float, float) { return math::log(x); }>};
extern const UnaryRow kErf{Parameters::kNone,
                           each<[](float x, float, float) { return math::erf(x); }>};
extern const UnaryRow kRelu{Parameters::kNone,
                            each<[](float x, float, float) { return x < 0.0F ? 0.0F : x; }>};
extern const UnaryRow kLeakyRelu{
    Parameters::kAlpha, each<[](float x, float slope, float) { return x < 0.0F ? slope * x : x; }>};
extern const UnaryRow kElu{Parameters::kAlpha, each<[](float x, float alpha, float) {
                             return x < 0.0F ? alpha * math::expm1_negative(x) : x;
                           }>};
extern const UnaryRow kSelu{Parameters::kBoth, each<[](float x, float alpha, float gamma) {
                              return gamma * (x < 0.0F ? alpha * math::expm1_negative(x) : x);
                            }>};
extern const UnaryRow kSigmoid{Parameters::kNone,
                               each<[](float x, float, float) { return math::sigmoid(x); }>};
extern const UnaryRow kHardSigmoid{
    Parameters::kBoth,
    each<[](float x, float alpha, float beta) { return clamp(alpha * x + beta, 0.0F, 1.0F); }>};
extern const UnaryRow kHardSwish{
    Parameters::kNone,
    each<[](float x, float, float) { return gated(x, clamp(x + 3.0F, 0.0F, 6.0F) / 6.0F); }>};
extern const UnaryRow kTanh{Parameters::kNone,
                            each<[](float x, float, float) { return math::tanh(x); }>};
extern const UnaryRow kSoftplus{Parameters::kNone,
                                each<[](float x, float, float) { return math::softplus(x); }>};
extern const UnaryRow kClip{
    Parameters::kLimits, each<[](float x, float low, float high) { return clamp(x, low, high); }>};
extern const UnaryRow kGelu{Parameters::kNone, each<[](float x, float, float) {
                              return gated(x, 0.5F + 0.5F * math::erf(x * 0.707106781F));
                            }>};
extern const UnaryRow kGeluTanh{Parameters::kNone,
                                each<[](float x, float, float) { return gelu_tanh(x); }>};
extern const UnaryRow kSwish{
    Parameters::kAlpha,
    each<[](float x, float alpha, float) { return gated(x, math::sigmoid(alpha * x)); }>};
extern const UnaryRow kMish{Parameters::kNone, each<[](float x, float, float) { return mish(x); }>};
extern const UnaryRow kSin{Parameters::kNone,
                           each<[](float x, float, float) { return math::sin(x); }>};
extern const UnaryRow kCos{Parameters::kNone,
                           each<[](float x, float, float) { return math::cos(x); }>};
extern const UnaryRow kFloor{Parameters::kNone,
                             each<[](float x, float, float) { return floor(x); }>};
extern const UnaryRow kCeil{Parameters::kNone, each<[](float x, float, float) { return ceil(x); }>};
extern const UnaryRow kRound{Parameters::kNone,
                             each<[](float x, float, float) { return round_even(x); }>};
extern const UnaryRow kSign{
    Parameters::kNone,
    each<[](float x, float, float) { return 0.0F < absolute(x) ? math::with_sign(1.0F, x) : x; }>};
extern const UnaryRow kReciprocal{Parameters::kNone,
                                  each<[](float x, float, float) { return 1.0F / x; }>};
extern const UnaryRow kCelu{Parameters::kDivisor, each<[](float x, float alpha, float) {
                              return x < 0.0F ? alpha * math::expm1_negative(x / alpha) : x;
                            }>};
extern const UnaryRow kThresholdedRelu{
    Parameters::kAlpha, each<[](float x, float alpha, float) { return x <= alpha ? 0.0F : x; }>};
extern const UnaryRow kSoftsign{Parameters::kNone, each<[](float x, float, float) {
                                  const float size = absolute(x);
                                  return math::with_sign(
                                      size == math::kInfinity ? 1.0F : size / (1.0F + size), x);
                                }>};

}  // namespace unary

namespace {

Status shape(const Operation& operation, Tensor& result) {
  FIG_TRY(require_float(operation, 0));
  const format::Unary& options = operation.as<format::Unary>();
  FIG_TRY(check_unary(options.function(), options.alpha(), options.beta()));
  return set_result(result, DataType::kFloat32, operation.in(0).shape);
}

void forward(const Operation& operation) {
  const format::Unary& options = operation.as<format::Unary>();
  const Tensor& x = operation.in(0);
  apply_unary(options.function(), options.alpha(), options.beta(), x.floats(),
              operation.out().floats(), x.elements());
}

}  // namespace

void apply_unary(UnaryFunction function, float alpha, float beta, const float* x, float* y,
                 std::int64_t count) {
  kUnaryRows[static_cast<std::size_t>(function)]->apply(alpha, beta, x, y, count);
}

Status check_unary(UnaryFunction function, float alpha, float beta) {
  if (function > UnaryFunction::MAX)
    return unsupported({"elementwise function ", static_cast<std::int32_t>(function),
                        " is unknown; the file is damaged or needs a newer Figment"});
  const UnaryRow* row = kUnaryRows[static_cast<std::size_t>(function)];
  const char* name = format::EnumNameUnaryFunction(function);
  if (row == nullptr)
    return unsupported({name, " was left out of this build; add Unary:", name, " to FIGMENT_OPS"});
  const auto finite = [](float value) { return value - value == 0.0F; };
  bool sound = true;
  switch (row->parameters) {
    case Parameters::kNone:
      break;
    case Parameters::kAlpha:
      sound = finite(alpha);
      break;
    case Parameters::kDivisor:
      sound = finite(alpha) && alpha > 0.0F;
      break;
    case Parameters::kBoth:
      sound = finite(alpha) && finite(beta);
      break;
    case Parameters::kLimits:
      sound = alpha <= beta;
      break;
  }
  if (!sound)
    return bad_file({"the parameters of ", name,
                     " are not finite, not positive or not in order; convert the model again"});
  return {};
}

extern const OperatorRoom kUnary;
const OperatorRoom kUnary{
    .min_inputs = 1,
    .max_inputs = 1,
    .memory = Memory::kInPlace,
    .shape = shape,
    .scratch_bytes = nullptr,
    .forward = forward,
    .multiply_adds = nullptr,
};

}  // namespace figment::ops
