// Folds x * scale + shift per channel into what computes x: BatchNormalization, and constant
// factors and summands, after a Dense, Conv2D, ConvTranspose2D (into weights and bias) or a
// normalization (into its scale and bias). Reshapes between the two do not matter while every
// channel of the one falls on one channel of the other.
#include <algorithm>
#include <cmath>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/weights.h"

namespace figment::converter {
namespace {

// y = x * scale + shift, one of each per channel; in double until the weights are rounded again.
struct Affine {
  TensorId x = kAbsent;
  std::vector<double> scale, shift;
};

std::optional<Affine> affine_of_normalization(const Graph& graph, const Node& node) {
  std::vector<std::vector<float>> operands;
  for (std::size_t i = 1; i < 5; ++i) {
    if (node.inputs[i] == kAbsent || !graph.tensor(node.inputs[i]).constant()) return std::nullopt;
    operands.push_back(float_values(graph.tensor(node.inputs[i])));
  }
  const std::vector<float>&scale = operands[0], &bias = operands[1], &mean = operands[2],
        &variance = operands[3];
  const double epsilon = static_cast<double>(node.as<format::BatchNormalizationT>().epsilon);
  Affine affine{node.inputs[0], {}, {}};
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double factor =
        static_cast<double>(scale[c]) / std::sqrt(static_cast<double>(variance[c]) + epsilon);
    affine.scale.push_back(factor);
    affine.shift.push_back(static_cast<double>(bias[c]) - static_cast<double>(mean[c]) * factor);
  }
  return affine;
}

std::optional<Affine> affine_of_binary(const Graph& graph, const Node& node) {
  using format::BinaryFunction;
  const BinaryFunction function = node.as<format::BinaryT>().function;
  for (int side = 0; side < 2; ++side) {  // on which side x stands
    const TensorId x = node.inputs[side];
    if (x == kAbsent || graph.tensor(x).constant()) continue;
    const Shape& shape = graph.tensor(x).shape;
    if (!(shape == graph.tensor(node.output).shape)) continue;
    const auto constant = channel_values(graph, node.inputs[1 - side], shape);
    if (!constant) continue;
    const std::size_t channels = constant->size();
    Affine affine{x, std::vector<double>(channels, 1.0), std::vector<double>(channels, 0.0)};
    for (std::size_t c = 0; c < channels; ++c) {
      const double value = static_cast<double>((*constant)[c]);
      if (function == BinaryFunction::Mul) {
        affine.scale[c] = value;
      } else if (function == BinaryFunction::Add) {
        affine.shift[c] = value;
      } else if (function == BinaryFunction::Sub) {
        affine.scale[c] = side == 0 ? 1.0 : -1.0;
        affine.shift[c] = side == 0 ? -value : value;
      } else if (function == BinaryFunction::Div && side == 0) {
        affine.scale[c] = 1.0 / value;
      } else {
        return std::nullopt;
      }
    }
    return affine;
  }
  return std::nullopt;
}

std::optional<Affine> affine_of(const Graph& graph, const Node& node) {
  std::optional<Affine> affine;
  if (is_kind<format::BatchNormalizationT>(node)) affine = affine_of_normalization(graph, node);
  if (is_kind<format::BinaryT>(node)) affine = affine_of_binary(graph, node);
  if (!affine) return std::nullopt;
  for (std::size_t c = 0; c < affine->scale.size(); ++c)
    if (!std::isfinite(affine->scale[c]) || !std::isfinite(affine->shift[c])) return std::nullopt;
  return affine;
}

// Where a node's factor and summand per output channel are kept.
struct Target {
  std::size_t factor, summand;  // indices of inputs
};

std::optional<Target> target_of(const Node& node) {
  switch (node.kind()) {
    case format::OperatorOptions::Dense:
    case format::OperatorOptions::Conv2D:
    case format::OperatorOptions::ConvTranspose2D:
    case format::OperatorOptions::BatchNormalization:
    case format::OperatorOptions::GroupNormalization:
      return Target{1, 2};
    case format::OperatorOptions::LayerNormalization:
      if (node.as<format::LayerNormalizationT>().axes == 1) return Target{1, 2};
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// Whether the operand may be changed: a constant of floats, or absent.
bool is_fixed(const Graph& graph, const Node& node, std::size_t index) {
  if (index >= node.inputs.size() || node.inputs[index] == kAbsent) return true;
  const GraphTensor& tensor = graph.tensor(node.inputs[index]);
  return tensor.constant() && tensor.scales.empty();
}

void scale_output(Graph& graph, Node& node, const Target& target, const Affine& affine,
                  std::int32_t channels) {
  node.inputs.resize(std::max(node.inputs.size(), target.summand + 1), kAbsent);
  const std::size_t repeat = affine.scale.size();
  const Shape vector = make_shape({channels});

  std::vector<float> factors(static_cast<std::size_t>(channels), 1.0f);
  Shape factor_shape = vector;
  std::string name = node.name + ".scale";
  if (const TensorId id = node.inputs[target.factor]; id != kAbsent) {
    factors = float_values(graph.tensor(id));
    factor_shape = graph.tensor(id).shape;
    name = graph.tensor(id).name;
  }
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double scale = affine.scale[channel_of(node, factor_shape, i) % repeat];
    factors[i] = static_cast<float>(static_cast<double>(factors[i]) * scale);
  }
  node.inputs[target.factor] = graph.add_floats(name, factor_shape, factors);

  std::vector<float> summands(static_cast<std::size_t>(channels), 0.0f);
  name = node.name + ".bias";
  if (const TensorId id = node.inputs[target.summand]; id != kAbsent) {
    summands = float_values(graph.tensor(id));
    name = graph.tensor(id).name;
  }
  for (std::size_t c = 0; c < summands.size(); ++c) {
    const double value = static_cast<double>(summands[c]);
    summands[c] = static_cast<float>(value * affine.scale[c % repeat] + affine.shift[c % repeat]);
  }
  node.inputs[target.summand] = graph.add_floats(name, vector, summands);
}

// The node that computes `id`, seen through Reshapes; -1 when anybody else reads on the way.
int source_of(const Graph& graph, const Links& links, TensorId id) {
  while (links.has_one_reader(id) && links.producer[id] >= 0) {
    const Node& node = graph.nodes[links.producer[id]];
    if (node.activation) return -1;
    if (!is_kind<format::ReshapeT>(node)) return links.producer[id];
    id = node.inputs[0];
  }
  return -1;
}

bool fold_one(Graph& graph, int& normalizations) {
  const Links links = link(graph);
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const std::optional<Affine> affine = affine_of(graph, graph.nodes[index]);
    if (!affine) continue;
    const int source = source_of(graph, links, affine->x);
    if (source < 0) continue;
    const std::optional<Target> target = target_of(graph.nodes[source]);
    if (!target || !is_fixed(graph, graph.nodes[source], target->factor) ||
        !is_fixed(graph, graph.nodes[source], target->summand))
      continue;
    const Shape& shape = graph.tensor(graph.nodes[source].output).shape;
    const std::int32_t channels = shape[shape.rank - 1];
    if (channels % static_cast<std::int32_t>(affine->scale.size()) != 0) continue;

    scale_output(graph, graph.nodes[source], *target, *affine, channels);
    Node& folded = graph.nodes[index];
    if (is_kind<format::BatchNormalizationT>(folded)) ++normalizations;
    // Elementwise, so it may stand before the Reshapes between.
    graph.nodes[source].activation = folded.activation;
    redirect(graph, folded.output, affine->x);
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
    return true;
  }
  return false;
}

}  // namespace

PassResult fold_batch_normalization(Graph& graph) {
  PassResult result;
  int normalizations = 0;
  while (fold_one(graph, normalizations)) ++result.changes;
  sweep(graph);
  result.sentence = "folded " + counted(normalizations, "BatchNormalization") + " and " +
                    counted(result.changes - normalizations, "constant") +
                    " (factors, summands) into the weights before";
  return result;
}

}  // namespace figment::converter
