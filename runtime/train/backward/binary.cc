// Elementwise arithmetic y = f(a, b), broadcast: da = dy * df/da, db = dy * df/db, each summed over
// the axes along which its operand repeats.
//   Add, Sub    dy;  dy or -dy
//   Mul         dy * b;  dy * a
//   Div         dy / b;  -dy * y / b
//   Pow         dy * b * a^(b-1), 0 where b is 0;  dy * y * log(a), 0 where a is 0 and b not below
//   Max, Min    dy to the one that y is; between equal ones half each, as in PyTorch
//   PRelu       a > 0 ? dy : dy * b;  a < 0 ? dy * a : 0
//   Modulo      dy;  -dy * floor(a / b)
//   Remainder   dy;  -dy * trunc(a / b)
#include <cmath>

#include "runtime/math/broadcast.h"
#include "runtime/math/elementary.h"
#include "runtime/ops/checks.h"
#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"

namespace figment::train {
namespace {

using format::BinaryFunction;

enum Operand { kA, kB };
constexpr Reads kNothing{};
constexpr Reads kReadsA{.inputs = input_bit(kA)};
constexpr Reads kReadsB{.inputs = input_bit(kB)};
constexpr Reads kReadsBoth{.inputs = input_bit(kA) | input_bit(kB)};
constexpr Reads kReadsYAndB{.inputs = input_bit(kB), .output = true};

FIGMENT_INLINE float pow_by_base(float dy, float a, float b) {
  return b == 0.0F ? 0.0F : dy * (b * math::pow(a, b - 1.0F));
}
FIGMENT_INLINE float pow_by_exponent(float dy, float a, float b) {
  return ((a == 0.0F) & (b >= 0.0F)) ? 0.0F : dy * (math::pow(a, b) * math::log(a));
}
// One number's share of dy when y is the larger of it and the other.
FIGMENT_INLINE float of_larger(float dy, float number, float other) {
  const float weight = number > other ? 1.0F : 0.5F;
  return number >= other ? dy * weight : 0.0F;
}
FIGMENT_INLINE float first_of_larger(float dy, float a, float b) { return of_larger(dy, a, b); }
FIGMENT_INLINE float second_of_larger(float dy, float a, float b) { return of_larger(dy, b, a); }

FIGMENT_INLINE float prelu_by_x(float dy, float a, float b) { return a > 0.0F ? dy : dy * b; }
FIGMENT_INLINE float prelu_by_slope(float dy, float a, float) { return a < 0.0F ? dy * a : 0.0F; }

// The gradient of one operand: its terms, of dy and of the two that it reads (y in the place of a).
struct Gradient {
  Reads reads;
  TermKernel terms;  // null: dy itself
};

struct Row {
  BinaryFunction function;
  Gradient of_a, of_b;
};

constexpr Row kRows[] = {
    {BinaryFunction::Add, {kNothing, nullptr}, {kNothing, nullptr}},
    {BinaryFunction::Sub,
     {kNothing, nullptr},
     {kNothing, kTerms<[](float dy, float, float) { return -dy; }>}},
    {BinaryFunction::Mul,
     {kReadsB, kTerms<[](float dy, float, float b) { return dy * b; }>},
     {kReadsA, kTerms<[](float dy, float a, float) { return dy * a; }>}},
    {BinaryFunction::Div,
     {kReadsB, kTerms<[](float dy, float, float b) { return dy / b; }>},
     {kReadsYAndB, kTerms<[](float dy, float y, float b) { return -dy * y / b; }>}},
    {BinaryFunction::Pow, {kReadsBoth, kTerms<pow_by_base>}, {kReadsBoth, kTerms<pow_by_exponent>}},
    {BinaryFunction::Max,
     {kReadsBoth, kTerms<first_of_larger>},
     {kReadsBoth, kTerms<second_of_larger>}},
    {BinaryFunction::Min,
     {kReadsBoth, kTerms<second_of_larger>},
     {kReadsBoth, kTerms<first_of_larger>}},
    {BinaryFunction::PRelu, {kReadsBoth, kTerms<prelu_by_x>}, {kReadsA, kTerms<prelu_by_slope>}},
    {BinaryFunction::Modulo,
     {kNothing, nullptr},
     {kReadsBoth, kTerms<[](float dy, float a, float b) { return -dy * std::floor(a / b); }>}},
    {BinaryFunction::Remainder,
     {kNothing, nullptr},
     {kReadsBoth, kTerms<[](float dy, float a, float b) { return -dy * std::trunc(a / b); }>}},
};
static_assert(ops::in_schema_order(kRows));

const Row& row_of(const Call& call) {
  return kRows[static_cast<std::size_t>(call.as<format::Binary>().function())];
}

Reads reads(const Call& call, Inputs wanted) {
  const Row& row = row_of(call);
  Reads result;
  for (const Operand operand : {kA, kB}) {
    if (!(wanted & input_bit(operand))) continue;
    const Reads& more = (operand == kA ? row.of_a : row.of_b).reads;
    result.inputs |= more.inputs;
    result.output = result.output || more.output;
  }
  return result;
}

void write_gradient(const Call& call, const Gradient& gradient, Operand operand) {
  float* target = call.gradient(operand);
  if (target == nullptr) return;
  const Tensor& y = call.out();
  // What is not read steps as dy does, so that axes can become one.
  TermSources sources{call.output_gradient, call.output_gradient, call.output_gradient};
  Shape first = y.shape;
  Shape second = y.shape;
  if (gradient.reads.output) sources.first = y.data;
  if (gradient.reads.inputs & input_bit(kA)) {
    sources.first = call.in(kA).data;
    first = call.in(kA).shape;
  }
  if (gradient.reads.inputs & input_bit(kB)) {
    sources.second = call.in(kB).data;
    second = call.in(kB).shape;
  }
  sum_terms(
      math::broadcast_axes<kTermTensors>({call.in(operand).shape, y.shape, first, second}, y.shape),
      gradient.terms, sources, target, call.operation.threads);
}

// a last: its gradient may be written over dy.
void backward(const Call& call) {
  const Row& row = row_of(call);
  write_gradient(call, row.of_b, kB);
  write_gradient(call, row.of_a, kA);
}

}  // namespace

extern const BackwardRoom kBinary;
const BackwardRoom kBinary{.differentiable = input_bit(kA) | input_bit(kB),
                           .in_place = true,
                           .reads = reads,
                           .backward = backward};

}  // namespace figment::train
