// The weights of products: where they stand, how their channels lie, and how they are exchanged.
#include "converter/passes/weights.h"

#include "converter/passes/edit.h"

namespace figment::converter {

std::vector<std::size_t> weight_inputs(const Node& node) {
  switch (node.kind()) {
    case format::OperatorOptions::Dense:
    case format::OperatorOptions::Conv2D:
    case format::OperatorOptions::ConvTranspose2D:
      return {1};
    case format::OperatorOptions::MatMul:
      return {0, 1};
    case format::OperatorOptions::Recurrent:
      return {1, 2};
    default:
      return {};
  }
}

std::size_t channel_count(const Node& node, const Shape& weights) {
  const auto extent = [&](int axis) { return static_cast<std::size_t>(weights[axis]); };
  if (is_kind<format::ConvTranspose2DT>(node)) return extent(0) * extent(3);
  if (is_kind<format::RecurrentT>(node)) return extent(0) * extent(1);
  // Dense and Conv2D have outputs outermost; normalizations have nothing else.
  return extent(0);
}

std::size_t channel_of(const Node& node, const Shape& weights, std::size_t index) {
  const auto extent = [&](int axis) { return static_cast<std::size_t>(weights[axis]); };
  if (is_kind<format::ConvTranspose2DT>(node)) {
    const std::size_t outputs = extent(3), inputs = extent(4);
    const std::size_t group = index / (extent(1) * extent(2) * outputs * inputs);
    return group * outputs + index / inputs % outputs;
  }
  return index / (static_cast<std::size_t>(weights.elements()) / channel_count(node, weights));
}

StoredWeights store_weights(
    Graph& graph,
    const std::function<std::optional<GraphTensor>(const Node&, const GraphTensor&)>& store) {
  StoredWeights result;
  // By kind of operator too: not every one takes what another does.
  std::map<std::pair<TensorId, format::OperatorOptions>, TensorId> done;
  for (Node& node : graph.nodes) {
    for (const std::size_t index : weight_inputs(node)) {
      const TensorId id = node.inputs[index];
      if (id == kAbsent || !graph.tensor(id).constant()) continue;
      if (graph.tensor(id).type != DataType::kFloat32) continue;
      const auto [place, is_new] = done.try_emplace({id, node.kind()}, id);
      if (is_new) {
        std::optional<GraphTensor> stored = store(node, graph.tensor(id));
        if (stored) {
          graph.tensors.push_back(std::move(*stored));
          place->second = static_cast<TensorId>(graph.tensors.size()) - 1;
        }
        ++(stored ? result.stored : result.kept);
      }
      node.inputs[index] = place->second;
    }
  }
  sweep(graph);
  return result;
}

}  // namespace figment::converter
