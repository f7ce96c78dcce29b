// What passes share.
#include "converter/passes/edit.h"

#include <algorithm>

#include "runtime/math/half.h"

namespace figment::converter {

Links link(const Graph& graph) {
  Links links;
  links.producer.assign(graph.tensors.size(), -1);
  links.readers.resize(graph.tensors.size());
  links.is_output.assign(graph.tensors.size(), false);
  for (int index = 0; index < static_cast<int>(graph.nodes.size()); ++index) {
    const Node& node = graph.nodes[index];
    links.producer[node.output] = index;
    for (const TensorId input : node.inputs)
      if (input != kAbsent) links.readers[input].push_back(index);
  }
  for (const GraphPort& port : graph.outputs) links.is_output[port.tensor] = true;
  return links;
}

bool is_graph_input(const Graph& graph, TensorId id) {
  return std::any_of(graph.inputs.begin(), graph.inputs.end(),
                     [&](const GraphPort& port) { return port.tensor == id; });
}

void redirect(Graph& graph, TensorId from, TensorId to) {
  for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  for (GraphPort& port : graph.outputs)
    if (port.tensor == from) port.tensor = to;
}

bool may_bypass(const Graph& graph, const Links& links, const Node& node) {
  if (!links.is_output[node.output]) return true;
  return !is_graph_input(graph, node.inputs[0]) && !graph.tensor(node.inputs[0]).constant();
}

TensorId add_before(Graph& graph, std::size_t& position, std::string name,
                    format::OperatorOptionsUnion options, std::vector<TensorId> inputs,
                    std::optional<Shape> declared) {
  const std::size_t nodes = graph.nodes.size();
  const TensorId id =
      graph.add_node(std::move(name), std::move(options), std::move(inputs), declared);
  if (graph.nodes.size() > nodes) {
    std::rotate(graph.nodes.begin() + static_cast<std::ptrdiff_t>(position), graph.nodes.end() - 1,
                graph.nodes.end());
    ++position;
  }
  return id;
}

std::vector<float> float_values(const GraphTensor& constant) {
  std::vector<float> values;
  const std::size_t count = static_cast<std::size_t>(constant.shape.elements());
  if (constant.type == DataType::kFloat32) {
    values.assign(constant.floats(), constant.floats() + count);
  } else if (constant.type == DataType::kFloat16) {
    const auto* halves = reinterpret_cast<const std::uint16_t*>(constant.data->data());
    for (std::size_t i = 0; i < count; ++i) values.push_back(math::widen_half(halves[i]));
  }
  return values;
}

std::optional<float> scalar_value(const Graph& graph, TensorId id) {
  if (id == kAbsent) return std::nullopt;
  const GraphTensor& tensor = graph.tensor(id);
  if (!tensor.constant() || tensor.type != DataType::kFloat32 || tensor.shape.elements() != 1)
    return std::nullopt;
  return tensor.floats()[0];
}

std::optional<std::vector<float>> channel_values(const Graph& graph, TensorId id,
                                                 const Shape& whole) {
  if (id == kAbsent || whole.rank == 0) return std::nullopt;
  const GraphTensor& tensor = graph.tensor(id);
  if (!tensor.constant() || tensor.type != DataType::kFloat32 || tensor.shape.rank > whole.rank)
    return std::nullopt;
  const std::int32_t channels = whole[whole.rank - 1];
  const std::int64_t elements = tensor.shape.elements();
  if (elements == 1)
    return std::vector<float>(static_cast<std::size_t>(channels), tensor.floats()[0]);
  if (elements != channels || tensor.shape[tensor.shape.rank - 1] != channels) return std::nullopt;
  return float_values(tensor);
}

std::vector<std::int64_t> symbolic_extents(const GraphTensor& tensor) {
  constexpr std::int64_t kBatch = 1000003;
  std::vector<std::int64_t> extents(tensor.shape.dims, tensor.shape.dims + tensor.shape.rank);
  if (tensor.batch_axis >= 0) extents[tensor.batch_axis] *= kBatch;
  return extents;
}

std::string counted(int count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace figment::converter
