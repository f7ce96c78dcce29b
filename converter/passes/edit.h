// What passes share: who writes and reads a tensor, careful edits, and constants as plain numbers.
#pragma once

#include <string>
#include <vector>

#include "converter/graph/graph.h"

namespace figment::converter {

// Who writes and who reads each tensor, by tensor id. Valid until nodes are added, removed or
// moved.
struct Links {
  std::vector<int> producer;              // index of the node that writes it; -1: input or constant
  std::vector<std::vector<int>> readers;  // indices of nodes; one that reads it twice stands twice
  std::vector<bool> is_output;            // a port of the model shows it

  // True when one node reads the tensor, once, and nobody outside sees it.
  bool has_one_reader(TensorId id) const { return readers[id].size() == 1 && !is_output[id]; }
};
Links link(const Graph& graph);

bool is_graph_input(const Graph& graph, TensorId id);

// The node that writes `id` when it is of kind T (UnaryT, Conv2DT, ...) and carries no activation;
// null otherwise.
template <typename T>
const Node* written_by(const Graph& graph, const Links& links, TensorId id) {
  if (id == kAbsent || links.producer[id] < 0) return nullptr;
  const Node& node = graph.nodes[links.producer[id]];
  const bool matches = node.kind() == format::OperatorOptionsUnionTraits<T>::enum_value;
  return matches && !node.activation ? &node : nullptr;
}

template <typename T>
bool is_kind(const Node& node) {
  return node.kind() == format::OperatorOptionsUnionTraits<T>::enum_value;
}

// Everyone who read `from`, nodes and the model's outputs, reads `to`.
void redirect(Graph& graph, TensorId from, TensorId to);

// Whether readers and ports of `node`'s output may read its first input instead: the model's output
// must be written by a node, not be an input or a constant.
bool may_bypass(const Graph& graph, const Links& links, const Node& node);

// As Graph::add_node, with the node put before the one at `position`; `position` moves on with the
// node that stood there when something was put before it (a constant result puts nothing).
TensorId add_before(Graph& graph, std::size_t& position, std::string name,
                    format::OperatorOptionsUnion options, std::vector<TensorId> inputs,
                    std::optional<Shape> declared = std::nullopt);

// A constant's values as floats, whatever float type it is stored in; empty for other types.
std::vector<float> float_values(const GraphTensor& constant);

// The value of a float constant of one element.
std::optional<float> scalar_value(const Graph& graph, TensorId id);

// The values of constant `id` per channel of a tensor of shape `whole`, when it broadcasts over all
// axes but the last (a scalar does too): as many as that axis has. Nothing when it is not so.
std::optional<std::vector<float>> channel_values(const Graph& graph, TensorId id,
                                                 const Shape& whole);

// The extents, with the batch axis standing out: its extent is multiplied by a large prime, so that
// at batch 1 it is not mistaken for an axis of extent 1, nor taken together with another.
std::vector<std::int64_t> symbolic_extents(const GraphTensor& tensor);

// "3 Conv2D", "1 operator": a count with its noun, in the plural where due.
std::string counted(int count, const std::string& noun);

}  // namespace figment::converter
