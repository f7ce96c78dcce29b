// The converter's graph: tensors and nodes, and what needs no knowledge of any operator.
#include "converter/graph/graph.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <sstream>

#include "runtime/model_view.h"

namespace figment::converter {
namespace {

template <typename T>
std::vector<std::byte> to_bytes(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

TensorId Graph::add_input(std::string tensor_name, DataType type, const Shape& shape) {
  GraphTensor added;
  added.name = tensor_name;
  added.type = type;
  added.shape = shape;
  tensors.push_back(std::move(added));
  const TensorId id = static_cast<TensorId>(tensors.size()) - 1;
  inputs.push_back({std::move(tensor_name), id, {}});
  return id;
}

bool Graph::may_make(std::int64_t bytes) {
  made_bytes += bytes;
  return made_bytes <= freely_made + 8 * added_bytes;
}

TensorId Graph::add_constant(std::string tensor_name, DataType type, const Shape& shape,
                             std::vector<std::byte> data) {
  if (data.size() != constant_bytes(type, shape))
    throw ConvertError("constant '" + tensor_name + "' of shape " + describe(shape) +
                       " comes with " + std::to_string(data.size()) +
                       " bytes, which do not fill it");
  added_bytes += static_cast<std::int64_t>(data.size());
  GraphTensor added;
  added.name = std::move(tensor_name);
  added.type = type;
  added.shape = shape;
  added.data = std::move(data);
  tensors.push_back(std::move(added));
  return static_cast<TensorId>(tensors.size()) - 1;
}

TensorId Graph::add_floats(std::string tensor_name, const Shape& shape,
                           const std::vector<float>& values) {
  return add_constant(std::move(tensor_name), DataType::kFloat32, shape, to_bytes(values));
}

TensorId Graph::add_late_floats(std::string tensor_name, const Shape& shape,
                                std::function<std::vector<float>()> read) {
  return add_late(std::move(tensor_name), DataType::kFloat32, shape,
                  [values = std::move(read)] { return to_bytes(values()); });
}

TensorId Graph::add_integers(std::string tensor_name, const Shape& shape,
                             const std::vector<std::int32_t>& values) {
  return add_constant(std::move(tensor_name), DataType::kInt32, shape, to_bytes(values));
}

Shape make_shape(const std::vector<std::int64_t>& extents) {
  if (extents.size() > static_cast<std::size_t>(kMaxRank))
    throw ConvertError("a tensor has " + std::to_string(extents.size()) + " axes; at most " +
                       std::to_string(kMaxRank) + " are supported");
  Shape shape;
  for (const std::int64_t extent : extents) {
    if (extent < 0 || extent > std::numeric_limits<std::int32_t>::max())
      throw ConvertError("a tensor has the extent " + std::to_string(extent) +
                         "; extents must lie between 0 and 2147483647");
    shape.dims[shape.rank++] = static_cast<std::int32_t>(extent);
  }
  return shape;
}

std::string describe(const Shape& shape) {
  if (shape.rank <= 0) return "scalar";
  std::string text = std::to_string(shape[0]);
  for (int axis = 1; axis < shape.rank; ++axis) text += "x" + std::to_string(shape[axis]);
  return text;
}

std::string kind_name(const Node& node) { return format::EnumNameOperatorOptions(node.kind()); }

std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.tensors.size(), 0);
  for (const Node& node : graph.nodes)
    for (const TensorId input : node.inputs)
      if (input != kAbsent) ++readers[static_cast<std::size_t>(input)];
  for (const GraphPort& port : graph.outputs) ++readers[static_cast<std::size_t>(port.tensor)];
  return readers;
}

namespace {

void drop_unneeded(Graph& graph) {
  // Nodes run in order, so one walk from the last to the first finds everything an output needs.
  std::vector<bool> needed(graph.tensors.size(), false);
  const auto need = [&](TensorId id) {
    if (id != kAbsent) needed[static_cast<std::size_t>(id)] = true;
  };
  for (const GraphPort& port : graph.outputs) need(port.tensor);
  std::vector<Node> kept_nodes;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!needed[static_cast<std::size_t>(node->output)]) continue;
    for (const TensorId input : node->inputs) need(input);
    kept_nodes.push_back(std::move(*node));
  }
  std::reverse(kept_nodes.begin(), kept_nodes.end());
  for (const GraphPort& port : graph.inputs) need(port.tensor);

  std::vector<TensorId> renumbered(graph.tensors.size(), kAbsent);
  std::vector<GraphTensor> kept_tensors;
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    if (!needed[id]) continue;
    renumbered[id] = static_cast<TensorId>(kept_tensors.size());
    kept_tensors.push_back(std::move(graph.tensors[id]));
  }
  const auto renumber = [&](TensorId& id) {
    if (id != kAbsent) id = renumbered[static_cast<std::size_t>(id)];
  };
  for (Node& node : kept_nodes) {
    for (TensorId& input : node.inputs) renumber(input);
    renumber(node.output);
  }
  for (GraphPort& port : graph.inputs) renumber(port.tensor);
  for (GraphPort& port : graph.outputs) renumber(port.tensor);
  graph.nodes = std::move(kept_nodes);
  graph.tensors = std::move(kept_tensors);
}

}  // namespace

void sweep(Graph& graph) {
  drop_unneeded(graph);
  if (!graph.importing) return;
  compute_late(graph);
  drop_unneeded(graph);
  graph.importing = false;
}

std::string print(const Graph& graph) {
  std::ostringstream text;
  const auto name = [&](TensorId id) -> std::string {
    if (id == kAbsent) return "-";
    const GraphTensor& tensor = graph.tensor(id);
    return "%" + std::to_string(id) + (tensor.constant() ? "c" : "") + ":" + describe(tensor.shape);
  };
  for (const GraphPort& port : graph.inputs)
    text << "input " << port.name << " " << name(port.tensor) << "\n";
  for (const Node& node : graph.nodes) {
    text << name(node.output) << " = " << kind_name(node);
    if (node.kind() == format::OperatorOptions::Unary)
      text << "." << format::EnumNameUnaryFunction(node.as<format::UnaryT>().function);
    if (node.kind() == format::OperatorOptions::Binary)
      text << "." << format::EnumNameBinaryFunction(node.as<format::BinaryT>().function);
    text << "(";
    for (std::size_t index = 0; index < node.inputs.size(); ++index)
      text << (index > 0 ? ", " : "") << name(node.inputs[index]);
    text << ")";
    if (node.activation)
      text << " then " << format::EnumNameUnaryFunction(node.activation->function);
    text << "  '" << node.name << "'\n";
  }
  for (const GraphPort& port : graph.outputs)
    text << "output " << port.name << " " << name(port.tensor) << "\n";
  return text.str();
}

}  // namespace figment::converter
