// Layers of several inputs.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

// Inputs that are numbers (of operations that Keras 3 saves as layers) stand as constants.
TensorId joined(LayerNode& node, BinaryFunction function) {
  if (node.inputs().empty()) node.refuse("it has no inputs; the file is damaged");
  // Samples with fewer axes get more of them behind the batch.
  int rank = 0;
  for (const TensorId input : node.inputs()) rank = std::max(rank, node.rank(input));
  const auto raised = [&](TensorId x) {
    const Shape from = node.shape(x);
    if (node.constant(x) || from.rank == rank || from.rank == 0) return x;
    std::vector<std::int64_t> to(from.dims, from.dims + from.rank);
    while (static_cast<int>(to.size()) < rank) to.insert(to.begin() + 1, 1);
    return node.reshape_to(x, to);
  };
  TensorId result = raised(node.inputs()[0]);
  for (const TensorId input : node.inputs().subspan(1))
    result = node.binary(function, result, raised(input));
  return result;
}

template <BinaryFunction kFunction>
void merge_by(LayerNode& node) {
  node.set_output(joined(node, kFunction));
}

void average(LayerNode& node) {
  const TensorId sum = joined(node, BinaryFunction::Add);
  const auto count = static_cast<float>(node.inputs().size());
  node.set_output(node.binary(BinaryFunction::Mul, sum, node.scalar(1 / count)));
}

void concatenate_along(LayerNode& node, LayerNode::Names axis) {
  if (node.inputs().empty()) node.refuse("it has no inputs; the file is damaged");
  format::ConcatT options;
  options.axis = node.axis_setting(axis, -1, node.rank(node.inputs()[0]));
  if (node.inputs().size() == 1) return node.set_output(node.inputs()[0]);
  node.set_output(
      node.emit(options, std::vector<TensorId>(node.inputs().begin(), node.inputs().end())));
}

void concatenate(LayerNode& node) { concatenate_along(node, {"axis"}); }

// The sum of products along an axis of each input, over all other axes of both: [N, ...a, ...b].
void dot(LayerNode& node) {
  if (node.inputs().size() != 2) node.refuse("it must have 2 inputs");
  if (node.flag({"normalize"}, false))
    node.refuse("its normalization is not supported; use a UnitNormalization before it");
  std::vector<std::int64_t> axes = node.integers_setting({"axes"});
  if (axes.size() == 1) axes.push_back(axes[0]);
  if (axes.size() != 2) node.refuse("it must have one axis an input; the file is damaged");
  TensorId sides[2];
  for (std::size_t side = 0; side < 2; ++side) {
    TensorId x = node.inputs()[side];
    const Shape shape = node.shape(x);
    if (shape.rank != 2 && shape.rank != 3)
      node.refuse("its inputs must have 2 or 3 axes, but one is " + describe(shape));
    const int axis = node.checked_axis(axes[side], shape.rank);
    if (axis == 0) node.refuse("its axis is the batch's; the file is damaged");
    // Left as [N, a, k], right as [N, k, b].
    if (shape.rank == 2)
      x = side == 0 ? node.reshape_to(x, {shape[0], 1, shape[1]})
                    : node.reshape_to(x, {shape[0], shape[1], 1});
    else if (axis != (side == 0 ? 2 : 1))
      x = node.transpose(x, {0, 2, 1});
    sides[side] = x;
  }
  const TensorId y = node.emit(format::MatMulT{}, {sides[0], sides[1]});
  std::vector<std::int64_t> to = {node.shape(y)[0]};
  if (node.rank(node.inputs()[0]) == 3) to.push_back(node.shape(y)[1]);
  if (node.rank(node.inputs()[1]) == 3) to.push_back(node.shape(y)[2]);
  if (to.size() == 1) to.push_back(1);
  node.set_output(node.reshape_to(y, to));
}

// Keras 1 has one layer for all.
void merge(LayerNode& node) {
  const std::string mode = node.text_setting({"mode"}, "sum");
  if (mode == "sum") return merge_by<BinaryFunction::Add>(node);
  if (mode == "mul") return merge_by<BinaryFunction::Mul>(node);
  if (mode == "max") return merge_by<BinaryFunction::Max>(node);
  if (mode == "ave") return average(node);
  if (mode == "concat") return concatenate_along(node, {"concat_axis"});
  node.refuse("its mode '" + mode + "' is not supported; cut the model there");
}

constexpr LayerRow kRows[] = {
    {"Add", merge_by<BinaryFunction::Add>},
    {"Average", average},
    {"Concatenate", concatenate},
    {"Divide", merge_by<BinaryFunction::Div>},
    {"Dot", dot},
    {"Maximum", merge_by<BinaryFunction::Max>},
    {"Merge", merge},
    {"Minimum", merge_by<BinaryFunction::Min>},
    {"Multiply", merge_by<BinaryFunction::Mul>},
    {"Subtract", merge_by<BinaryFunction::Sub>},
    {"TrueDivide", merge_by<BinaryFunction::Div>},
};

}  // namespace

const std::span<const LayerRow> kMergingLayers = kRows;

}  // namespace figment::converter
