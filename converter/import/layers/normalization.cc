// Normalizations.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

// Axis `axis` as the last one; the same permutation backwards brings it back.
std::vector<int> to_last(int axis, int rank) {
  std::vector<int> permutation(static_cast<std::size_t>(rank));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + axis, permutation.begin() + axis + 1, permutation.end());
  return permutation;
}

std::vector<int> from_last(int axis, int rank) {
  std::vector<int> permutation(static_cast<std::size_t>(rank));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + axis, permutation.end() - 1, permutation.end());
  return permutation;
}

TensorId filled(const LayerNode& node, TensorId like, float value) {
  const auto count = static_cast<std::size_t>(node.shape(like).elements());
  return node.graph().add_floats(node.label() + "/constant", node.shape(like),
                                 std::vector<float>(count, value));
}

// gamma, beta (where the layer has them), moving mean, moving variance: [channels] each
void batch_normalization(LayerNode& node) {
  const TensorId x = node.input();
  const int rank = node.rank(x), axis = node.axis_setting({"axis"}, -1, rank);
  if (node.integer_setting({"mode"}, 0) != 0)
    node.refuse("its mode is not supported; use a BatchNormalization with mode 0");
  TensorId gamma = node.flag({"scale"}, true) ? node.weight("gamma", 1) : kAbsent;
  TensorId beta = node.flag({"center"}, true) ? node.weight("beta", 1) : kAbsent;
  const TensorId mean = node.weight("moving_mean", 1);
  const TensorId variance = node.weight("moving_variance", 1);
  if (gamma == kAbsent) gamma = filled(node, mean, 1);
  if (beta == kAbsent) beta = filled(node, mean, 0);
  format::BatchNormalizationT options;
  options.epsilon = node.number_setting({"epsilon"}, 1e-3F);
  const TensorId turned = node.transpose(x, to_last(axis, rank));
  const TensorId y = node.emit(options, {turned, gamma, beta, mean, variance});
  node.set_output(node.transpose(y, from_last(axis, rank)));
}

// gamma, beta (where the layer has them), of the shape of the axes that are normalized
void layer_normalization(LayerNode& node) {
  const TensorId x = node.input();
  const int rank = node.rank(x);
  if (node.flag({"rms_scaling"}, false))
    node.refuse("its rms_scaling is not supported; train it without");
  std::vector<int> axes = {rank - 1};
  if (node.find({"axis"}) != nullptr) {
    axes.clear();
    for (const std::int64_t axis : node.integers_setting({"axis"}))
      axes.push_back(node.checked_axis(axis, rank));
  }
  std::ranges::sort(axes);
  const int count = static_cast<int>(axes.size());
  for (int index = 0; index < count; ++index)
    if (axes[static_cast<std::size_t>(index)] != rank - count + index)
      node.refuse("it normalizes along axes that are not the last ones; permute its input first");
  if (count == 0 || count >= rank) node.refuse("it must normalize along some axes of a sample");
  const TensorId gamma = node.flag({"scale"}, true) ? node.weight("gamma", count) : kAbsent;
  const TensorId beta = node.flag({"center"}, true) ? node.weight("beta", count) : kAbsent;
  format::LayerNormalizationT options;
  options.axes = count;
  options.epsilon = node.number_setting({"epsilon"}, 1e-3F);
  node.set_output(node.emit(options, {x, gamma, beta}));
}

// groups -1: one for each channel
void group_normalization(LayerNode& node) {
  const TensorId x = node.input();
  const int rank = node.rank(x), axis = node.axis_setting({"axis"}, -1, rank);
  if (axis == 0) node.refuse("its axis is the batch's, which is not supported");
  const std::int64_t groups = node.integer_setting({"groups"}, 32);
  format::GroupNormalizationT options;
  options.groups = groups == -1 ? node.shape(x)[axis] : node.checked_int(groups, "groups", 1);
  options.epsilon = node.number_setting({"epsilon"}, 1e-3F);
  const TensorId gamma = node.flag({"scale"}, true) ? node.weight("gamma", 1) : kAbsent;
  const TensorId beta = node.flag({"center"}, true) ? node.weight("beta", 1) : kAbsent;
  const TensorId turned = node.transpose(x, to_last(axis, rank));
  node.set_output(node.transpose(node.emit(options, {turned, gamma, beta}), from_last(axis, rank)));
}

// (x - mean) / sqrt(variance), of a data set
void normalization(LayerNode& node) {
  if (node.flag({"invert"}, false)) node.refuse("its inversion is not supported");
  const TensorId x = node.input();
  const TensorId mean = node.weight_of_any_rank("mean");
  const TensorId variance = node.weight_of_any_rank("variance");
  node.skip_weights();  // how many pictures were counted
  const TensorId deviation = node.binary(
      BinaryFunction::Max, node.unary(format::UnaryFunction::Sqrt, variance), node.scalar(1e-7F));
  node.set_output(
      node.binary(BinaryFunction::Div, node.binary(BinaryFunction::Sub, x, mean), deviation));
}

// x / sqrt(sum of squares) along an axis
void unit_normalization(LayerNode& node) {
  const TensorId x = node.input();
  format::ReduceT options;
  options.function = format::ReduceFunction::Sum;
  options.keep_axes = true;
  options.axes = {node.axis_setting({"axis"}, -1, node.rank(x))};
  const TensorId squares = node.emit(std::move(options), {node.binary(BinaryFunction::Mul, x, x)});
  const TensorId length = node.unary(
      format::UnaryFunction::Sqrt, node.binary(BinaryFunction::Max, squares, node.scalar(1e-12F)));
  node.set_output(node.binary(BinaryFunction::Div, x, length));
}

constexpr LayerRow kRows[] = {
    {"BatchNormalization", batch_normalization},   {"BatchNormalizationV1", batch_normalization},
    {"BatchNormalizationV2", batch_normalization}, {"GroupNormalization", group_normalization},
    {"LayerNormalization", layer_normalization},   {"Normalization", normalization},
    {"UnitNormalization", unit_normalization},
};

}  // namespace

const std::span<const LayerRow> kNormalizationLayers = kRows;

}  // namespace figment::converter
