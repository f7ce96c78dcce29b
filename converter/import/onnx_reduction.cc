// Reductions over axes.
#include "converter/import/onnx_families.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::ReduceFunction;
using format::UnaryFunction;

// Axes became an operand in opset 13 for ReduceSum and in opset 18 for the others. No axes means
// all of them, or none where noop_with_empty_axes says so.
TensorId reduced(OnnxNode& node, TensorId x, ReduceFunction function) {
  const int rank = node.rank(x);
  const int since = node.kind() == "ReduceSum" ? 13 : 18;
  std::optional<std::vector<std::int64_t>> axes;
  if (node.opset() < since) {
    axes = node.integer_list("axes");
  } else if (node.has_input(1)) {
    axes = node.integers(node.input(1), "axes");
  }
  const bool nothing = node.opset() >= since && node.integer("noop_with_empty_axes", 0) != 0;
  format::ReduceT options;
  options.function = function;
  options.keep_axes = node.integer("keepdims", 1) != 0;
  if (!axes || axes->empty()) {
    if (nothing || rank == 0) return x;
    for (int axis = 0; axis < rank; ++axis) options.axes.push_back(axis);
  } else {
    for (const std::int64_t axis : *axes) options.axes.push_back(node.checked_axis(axis, rank));
  }
  return node.emit(std::move(options), {x});
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

constexpr OnnxOperator kRows[] = {
    {"ReduceL1", reduce_l1},
    {"ReduceL2", reduce_l2},
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
