// A graph's outputs, and the part of it that --from and --to name.
#include "converter/import/torch/ports.h"

#include <algorithm>
#include <unordered_set>

#include "converter/import/node_builder.h"

namespace figment::converter {

std::string join_quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? "'" : ", '";
    text += name + "'";
  }
  return text;
}

void check_given_shapes(const ImportOptions& options, const std::vector<std::string>& inputs) {
  const auto given = std::ranges::find_if(options.input_shapes, [&](const auto& entry) {
    return std::ranges::find(inputs, entry.first) == inputs.end();
  });
  if (given != options.input_shapes.end())
    throw ConvertError("the model has no input '" + given->first +
                       "', for which a shape was given; its inputs are " + join_quoted(inputs));
}

void add_torch_output(Graph& graph, const std::string& name, TensorId id) {
  const auto taken = [&](const GraphPort& port) { return port.tensor == id; };
  if (!graph.tensor(id).constant() &&
      (std::ranges::any_of(graph.inputs, taken) || std::ranges::any_of(graph.outputs, taken)))
    // The larger of a number and itself, for integers too.
    id = NodeBuilder(graph, name, "output").binary(format::BinaryFunction::Max, id, id);
  if (std::ranges::any_of(graph.outputs, [&](const GraphPort& port) { return port.name == name; }))
    throw ConvertError("two of the network's outputs are named '" + name + "'");
  graph.outputs.push_back({name, id, {}});
}

void cut_before(Graph& graph, const std::string& name, TensorId id) {
  if (graph.tensor(id).constant())
    throw ConvertError("layer '" + name + "' computes a constant, which is no input");
  std::erase_if(graph.nodes, [&](const Node& node) { return node.output == id; });
  sweep(graph);
  // Now nobody makes the tensor, and some inputs have no readers.
  const std::vector<int> readers = count_readers(graph);
  std::unordered_set<TensorId> made;
  for (const Node& node : graph.nodes) made.insert(node.output);
  for (const GraphPort& port : graph.inputs) made.insert(port.tensor);
  std::erase_if(graph.inputs, [&](const GraphPort& port) {
    return port.name != name && readers[static_cast<std::size_t>(port.tensor)] == 0;
  });
  for (std::size_t at = 0; at < graph.tensors.size(); ++at) {
    const auto tensor = static_cast<TensorId>(at);
    if (!graph.tensor(tensor).constant() && !made.contains(tensor) && readers[at] > 0)
      graph.inputs.insert(graph.inputs.begin(), {name, tensor, {}});
  }
}

}  // namespace figment::converter
