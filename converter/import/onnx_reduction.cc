// Reductions over axes, and what is made of them.
#include <algorithm>
#include <limits>
#include <utility>

#include "converter/import/onnx_families.h"
#include "converter/import/onnx_reduction.h"
#include "converter/import/spatial.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::CompareFunction;
using format::ReduceFunction;
using format::UnaryFunction;

struct Request {
  std::vector<std::int32_t> axes;  // empty: nothing is reduced
  bool keep_axes = true;
};

// Axes became an operand in opset 13 for ReduceSum and in opset 18 for the others. No axes means
// all of them, or none where noop_with_empty_axes says so.
Request read_request(const OnnxNode& node, int rank) {
  const int since = node.kind() == "ReduceSum" ? 13 : 18;
  std::optional<std::vector<std::int64_t>> axes;
  if (node.opset() < since) {
    axes = node.integer_list("axes");
  } else if (node.has_input(1)) {
    axes = node.integers(node.input(1), "axes");
  }
  const bool nothing = node.opset() >= since && node.flag("noop_with_empty_axes", false);
  Request request;
  request.keep_axes = node.flag("keepdims", true);
  if (axes && !axes->empty()) {
    for (const std::int64_t axis : *axes) request.axes.push_back(node.checked_axis(axis, rank));
  } else if (!nothing) {
    for (int axis = 0; axis < rank; ++axis) request.axes.push_back(axis);
  }
  return request;
}

TensorId reduce_over(OnnxNode& node, TensorId x, ReduceFunction function, const Request& request) {
  if (request.axes.empty()) return x;
  format::ReduceT options;
  options.function = function;
  options.axes = request.axes;
  options.keep_axes = request.keep_axes;
  return node.emit(std::move(options), {x});
}

TensorId reduced(OnnxNode& node, TensorId x, ReduceFunction function) {
  return reduce_over(node, x, function, read_request(node, node.rank(x)));
}

template <ReduceFunction kFunction>
void reduce(OnnxNode& node) {
  node.set_output(0, reduced(node, node.input(0), kFunction));
}

// Sum of |x|
void reduce_l1(OnnxNode& node) {
  node.set_output(
      0, reduced(node, node.unary(UnaryFunction::Abs, node.input(0)), ReduceFunction::Sum));
}

TensorId sum_of_squares(OnnxNode& node) {
  return reduced(node, node.binary(BinaryFunction::Mul, node.input(0), node.input(0)),
                 ReduceFunction::Sum);
}

void reduce_sum_square(OnnxNode& node) { node.set_output(0, sum_of_squares(node)); }

// The length of a vector.
void reduce_l2(OnnxNode& node) {
  node.set_output(0, node.unary(UnaryFunction::Sqrt, sum_of_squares(node)));
}

void reduce_log_sum(OnnxNode& node) {
  node.set_output(
      0, node.unary(UnaryFunction::Log, reduced(node, node.input(0), ReduceFunction::Sum)));
}

// log(sum(exp(x))) = m + log(sum(exp(x - m))), m the largest x; a finite one, so that an infinite x
// leaves its infinity.
void reduce_log_sum_exp(OnnxNode& node) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const TensorId x = node.input(0);
  Request request = read_request(node, node.rank(x));
  const bool keep_axes = std::exchange(request.keep_axes, true);
  const TensorId most = node.unary(
      UnaryFunction::Clip, reduce_over(node, x, ReduceFunction::Max, request), -kMost, kMost);
  const TensorId powers = node.unary(UnaryFunction::Exp, node.binary(BinaryFunction::Sub, x, most));
  const TensorId sum = reduce_over(node, powers, ReduceFunction::Sum, request);
  const TensorId result =
      node.binary(BinaryFunction::Add, node.unary(UnaryFunction::Log, sum), most);
  Shape shape;
  for (int axis = 0; axis < node.rank(x); ++axis)
    if (keep_axes || std::ranges::find(request.axes, axis) == request.axes.end())
      shape[shape.rank++] = node.shape(result)[axis];
  node.set_output(0, node.reshape(result, shape));
}

// ---- What is made of reductions ----

// sum(|x|^p)^(1/p), the axes kept
TensorId norm(OnnxNode& node, TensorId x, float p, const std::vector<std::int32_t>& axes) {
  const auto power = [&](TensorId base, float exponent) {
    return exponent == 1 ? base : node.binary(BinaryFunction::Pow, base, node.scalar(exponent));
  };
  const auto sum = [&](TensorId values) {
    return reduce_over(node, values, ReduceFunction::Sum, {axes, true});
  };
  if (p == 2) return node.unary(UnaryFunction::Sqrt, sum(node.binary(BinaryFunction::Mul, x, x)));
  return power(sum(power(node.unary(UnaryFunction::Abs, x), p)), 1 / p);
}

// Over all spatial axes. p is a whole number from opset 2 on.
void global_lp_pool(OnnxNode& node) {
  const TensorId x = node.input(0);
  const std::vector<std::int32_t> axes = spatial_axes(node, x);
  const float p =
      node.opset() < 2 ? node.number_attribute("p", 2) : static_cast<float>(node.integer("p", 2));
  if (!(p > 0)) node.refuse("its p is not positive; the file is damaged");
  node.set_output(0, norm(node, x, p, axes));
}

// x divided by its norm along an axis; what is 0 everywhere stays 0.
void lp_normalization(OnnxNode& node) {
  const TensorId x = node.input(0);
  const int axis = node.checked_axis(node.integer("axis", -1), node.rank(x));
  const std::int64_t p = node.integer("p", 2);
  if (p != 1 && p != 2) node.refuse("its p is " + std::to_string(p) + ", but must be 1 or 2");
  const TensorId length = norm(node, x, static_cast<float>(p), {axis});
  const TensorId nothing = node.compare(CompareFunction::Equal, length, node.scalar(0));
  const TensorId divisor = node.select(nothing, node.scalar(1), length);
  node.set_output(0, node.binary(BinaryFunction::Div, x, divisor));
}

// (x - mean) / (standard deviation + 1e-9)
void mean_variance_normalization(OnnxNode& node) {
  const TensorId x = node.input(0);
  std::vector<std::int32_t> axes;
  for (const std::int64_t axis :
       node.integer_list("axes").value_or(std::vector<std::int64_t>{0, 2, 3}))
    axes.push_back(node.checked_axis(axis, node.rank(x)));
  const Moments moments = moments_of(node, x, axes);
  const TensorId deviation = node.binary(
      BinaryFunction::Add, node.unary(UnaryFunction::Sqrt, moments.variance), node.scalar(1e-9F));
  node.set_output(0, node.binary(BinaryFunction::Div, moments.centred, deviation));
}

void cumulative_sum(OnnxNode& node) {
  const TensorId x = node.input(0);
  format::CumulativeSumT options;
  options.axis = node.checked_axis(node.integer_operand(node.input(1), "axis"), node.rank(x));
  options.exclusive = node.flag("exclusive", false);
  options.reverse = node.flag("reverse", false);
  node.set_output(0, node.emit(options, {x}));
}

}  // namespace

Moments moments_of(OnnxNode& node, TensorId x, const std::vector<std::int32_t>& axes) {
  const auto mean = [&](TensorId values) {
    return reduce_over(node, values, ReduceFunction::Mean, {axes, true});
  };
  Moments moments;
  moments.mean = mean(x);
  moments.centred = node.binary(BinaryFunction::Sub, x, moments.mean);
  moments.variance = mean(node.binary(BinaryFunction::Mul, moments.centred, moments.centred));
  return moments;
}

namespace {

constexpr OnnxOperator kRows[] = {
    {"CumSum", cumulative_sum},
    {"GlobalLpPool", global_lp_pool},
    {"LpNormalization", lp_normalization},
    {"MeanVarianceNormalization", mean_variance_normalization},
    {"ReduceL1", reduce_l1},
    {"ReduceL2", reduce_l2},
    {"ReduceLogSum", reduce_log_sum},
    {"ReduceLogSumExp", reduce_log_sum_exp},
    {"ReduceMax", reduce<ReduceFunction::Max>},
    {"ReduceMean", reduce<ReduceFunction::Mean>},
    {"ReduceMin", reduce<ReduceFunction::Min>},
    {"ReduceProd", reduce<ReduceFunction::Prod>},
    {"ReduceSum", reduce<ReduceFunction::Sum>},
    {"ReduceSumSquare", reduce_sum_square},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxReduction = kRows;

}  // namespace figment::converter
