// Reductions y of x over some axes; dy goes to each x that y was made of:
//   Sum, Mean   dx = dy, dy / how many
//   Max, Min    dx = dy / how many are equal to y, where x is; else 0 (as PyTorch's amax has it)
//   Prod        dx = dy * the product of the others: y / x, and right where some are 0 too
#include "runtime/ops/reduce.h"
#include "runtime/train/backward.h"
#include "runtime/train/broadcast_sum.h"

namespace figment::train {
namespace {

using format::ReduceFunction;

Reads reads(const Call& call, Inputs) {
  switch (call.as<format::Reduce>().function()) {
    case ReduceFunction::Prod:
      return {.inputs = input_bit(0)};
    case ReduceFunction::Max:
    case ReduceFunction::Min:
      return {.inputs = input_bit(0), .output = true};
    default:
      return {};
  }
}

// Of each output's gradient, in scratch: what Max and Min give to each of the largest; for Prod the
// two below, and before them its product in double precision.
struct Shares {
  float* whole;  // dy * product, where no x is 0
  float* alone;  // dy * product of the others, where one x is 0
  double* product;

  Shares(std::byte* scratch, std::int64_t outputs)
      : whole(reinterpret_cast<float*>(scratch) + 2 * outputs),
        alone(whole + outputs),
        product(reinterpret_cast<double*>(scratch)) {}
};

std::size_t scratch_bytes(const Call& call) {
  const auto outputs = static_cast<std::size_t>(call.out().elements());
  switch (call.as<format::Reduce>().function()) {
    case ReduceFunction::Prod:
      return outputs * (sizeof(double) + 2 * sizeof(float));
    case ReduceFunction::Sum:
      return 0;
    default:
      return outputs * sizeof(float);
  }
}

// Axes of the tensors of a sum of terms, each of which steps as x does, or y.
enum class Steps : std::uint8_t { kAsX, kAsY };
TermAxes term_axes(const math::Axes<2>& axes, const Steps (&steps)[kTermTensors]) {
  TermAxes result;
  for (int axis = 0; axis < axes.rank(); ++axis) {
    std::int64_t strides[kTermTensors];
    for (int tensor = 0; tensor < kTermTensors; ++tensor)
      strides[tensor] = axes.stride(axis, steps[tensor] == Steps::kAsX ? 0 : 1);
    result.add(axes.extent(axis), strides);
  }
  return result;
}

constexpr TermKernel kIsEqual =
    kTerms<[](float, float x, float y) { return x == y ? 1.0F : 0.0F; }>;
constexpr TermKernel kWhereEqual =
    kTerms<[](float share, float x, float y) { return x == y ? share : 0.0F; }>;
constexpr TermKernel kProduct = kTerms<[](float whole, float x, float alone) {
  const float quotient = whole / x;
  return x == 0.0F ? alone : quotient;
}>;

void backward_extreme(const Call& call, const math::Axes<2>& axes, float* gradient) {
  const float* x = call.in(0).floats();
  const float* y = call.out().floats();
  float* share = reinterpret_cast<float*>(call.operation.scratch);
  pthreadpool* threads = call.operation.threads;
  sum_terms(term_axes(axes, {Steps::kAsY, Steps::kAsX, Steps::kAsX, Steps::kAsY}), kIsEqual,
            {x, x, y}, share, threads);
  const std::int64_t outputs = call.out().elements();
  for (std::int64_t i = 0; i < outputs; ++i) share[i] = call.output_gradient[i] / share[i];
  sum_terms(term_axes(axes, {Steps::kAsX, Steps::kAsY, Steps::kAsX, Steps::kAsY}), kWhereEqual,
            {share, x, y}, gradient, threads);
}

void backward_product(const Call& call, const math::Axes<2>& axes, float* gradient) {
  const float* x = call.in(0).floats();
  const std::int64_t outputs = call.out().elements();
  const Shares shares(call.operation.scratch, outputs);
  float* zeros = shares.alone;  // how many, at first
  for (std::int64_t i = 0; i < outputs; ++i) {
    shares.product[i] = 1;
    zeros[i] = 0;
  }
  axes.for_each_row([&](const std::int64_t* offsets) {
    for (std::int64_t i = 0; i < axes.row_length(); ++i) {
      const float value = x[offsets[0] + i * axes.row_stride(0)];
      const std::int64_t output = offsets[1] + i * axes.row_stride(1);
      shares.product[output] *= value == 0.0F ? 1.0 : static_cast<double>(value);
      zeros[output] += value == 0.0F ? 1.0F : 0.0F;
    }
  });
  for (std::int64_t i = 0; i < outputs; ++i) {
    const float product = static_cast<float>(shares.product[i]) * call.output_gradient[i];
    shares.whole[i] = zeros[i] == 0.0F ? product : 0.0F;
    shares.alone[i] = zeros[i] == 1.0F ? product : 0.0F;
  }
  sum_terms(term_axes(axes, {Steps::kAsX, Steps::kAsY, Steps::kAsX, Steps::kAsY}), kProduct,
            {shares.whole, x, shares.alone}, gradient, call.operation.threads);
}

// Sum and Mean: each x gets its output's `shares`.
void backward_shares(const Call& call, const math::Axes<2>& axes, const float* shares,
                     float* gradient) {
  sum_terms(term_axes(axes, {Steps::kAsX, Steps::kAsY, Steps::kAsY, Steps::kAsY}), nullptr,
            {shares, shares, shares}, gradient, call.operation.threads);
}

void backward_mean(const Call& call, const math::Axes<2>& axes, float* gradient) {
  const std::int64_t outputs = call.out().elements();
  const std::int64_t each = call.in(0).elements() / outputs;
  const auto count = static_cast<float>(each);
  float* share = reinterpret_cast<float*>(call.operation.scratch);
  for (std::int64_t i = 0; i < outputs; ++i) share[i] = call.output_gradient[i] / count;
  backward_shares(call, axes, share, gradient);
}

void backward(const Call& call) {
  float* gradient = call.gradient(0);
  if (gradient == nullptr) return;
  const auto& options = call.as<format::Reduce>();
  const Shape& x = call.in(0).shape;
  const math::Axes<2> axes = ops::reduction_axes(x, ops::reduced_axes(options, x.rank));
  switch (options.function()) {
    case ReduceFunction::Mean:
      return backward_mean(call, axes, gradient);
    case ReduceFunction::Sum:
      return backward_shares(call, axes, call.output_gradient, gradient);
    case ReduceFunction::Prod:
      return backward_product(call, axes, gradient);
    default:
      return backward_extreme(call, axes, gradient);
  }
}

}  // namespace

extern const BackwardRoom kReduce;
const BackwardRoom kReduce{.differentiable = input_bit(0),
                           .reads = reads,
                           .scratch_bytes = scratch_bytes,
                           .backward = backward};

}  // namespace figment::train
