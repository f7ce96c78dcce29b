// Products of matrices in TensorFlow graphs, with what is fused behind them.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "converter/import/tfjs/fused.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

TensorId swap_last(GraphNode& node, TensorId x) {
  if (node.rank(x) < 2) node.refuse("its operands must have 2 axes or more");
  std::vector<int> permutation(static_cast<std::size_t>(node.rank(x)));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation.back(), *(permutation.end() - 2));
  return node.transpose(x, permutation);
}

TensorId product(GraphNode& node, bool turn_left, bool turn_right) {
  TensorId left = node.input(0), right = node.input(1);
  if (turn_left) left = swap_last(node, left);
  if (turn_right) right = swap_last(node, right);
  return node.emit(format::MatMulT{}, {left, right});
}

void mat_mul(GraphNode& node) {
  const bool left = node.flag("transpose_a", false), right = node.flag("transpose_b", false);
  const FusedPart fused = read_fused(node, 2);
  // Constant weights make a dense layer.
  const TensorId weights = node.input(1);
  TensorId y = kAbsent;
  if (!left && node.constant(weights) && node.rank(weights) == 2 && node.rank(node.input(0)) == 2) {
    const TensorId turned = right ? weights : node.transpose(weights, {1, 0});
    y = node.emit(format::DenseT{}, {node.input(0), turned, bias_vector(node, fused)});
  } else {
    y = product(node, left, right);
    if (fused.bias != kAbsent) y = node.binary(BinaryFunction::Add, y, fused.bias);
  }
  node.set_output(finish_fused(node, fused, y));
}

void batch_mat_mul(GraphNode& node) {
  node.set_output(product(node, node.flag("adj_x", false), node.flag("adj_y", false)));
}

void bias_add(GraphNode& node) {
  if (node.text_attribute("data_format", "NHWC") != "NHWC")
    node.refuse("its data_format is not supported; convert the model with channels last");
  node.set_output(node.binary(BinaryFunction::Add, node.input(0), node.input(1)));
}

constexpr GraphOperator kRows[] = {
    {"BatchMatMul", batch_mat_mul}, {"BatchMatMulV2", batch_mat_mul},
    {"BiasAdd", bias_add},          {"MatMul", mat_mul},
    {"_FusedMatMul", mat_mul},
};

}  // namespace

const std::span<const GraphOperator> kGraphMatrix = kRows;

FusedPart read_fused(GraphNode& node, std::size_t operands) {
  FusedPart fused;
  if (!node.kind().starts_with("_Fused") && !node.kind().starts_with("Fused")) return fused;
  std::size_t next = operands;
  for (const std::string& name : node.text_list("fused_ops")) {
    if (name == "BiasAdd") {
      fused.bias = node.input(next++);
    } else if (name == "Prelu") {
      fused.function = name;
      fused.slopes = node.input(next++);
    } else {
      fused.function = name;
    }
  }
  return fused;
}

TensorId bias_vector(GraphNode& node, const FusedPart& fused) {
  if (fused.bias == kAbsent) return kAbsent;
  return node.reshape_to(fused.bias, {node.shape(fused.bias).elements()});
}

TensorId finish_fused(GraphNode& node, const FusedPart& fused, TensorId x) {
  if (fused.function.empty()) return x;
  if (fused.slopes != kAbsent) return node.binary(BinaryFunction::PRelu, x, fused.slopes);
  const TensorId y = apply_graph_function(node, fused.function, x);
  if (y == kAbsent) node.refuse("'" + fused.function + "' is fused to it, which is not supported");
  return y;
}

}  // namespace figment::converter
