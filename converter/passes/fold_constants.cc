// Computes every node whose inputs are all constant, with the runtime's own portable definition.
#include "converter/passes/edit.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

bool all_constant(const Graph& graph, const Node& node) {
  if (is_kind<format::RandomNormalT>(node) || node.inputs.empty()) return false;
  // A constant repeated for every sample of a batch is as long as the session says.
  if (graph.tensor(node.output).batch_axis >= 0) return false;
  for (const TensorId input : node.inputs)
    if (input != kAbsent && !graph.tensor(input).constant()) return false;
  return true;
}

// The activation as a node of its own, so that it can be computed too.
Node activation_node(const Node& node) {
  Node result;
  result.name = node.name;
  result.options = make_options(*node.activation);
  result.inputs = {node.output};
  result.output = node.output;
  return result;
}

}  // namespace

PassResult fold_constants(Graph& graph) {
  const Links links = link(graph);
  PassResult result;
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    // A model's output must be computed by a node, even when it never changes.
    if (!all_constant(graph, node) || links.is_output[node.output]) {
      kept.push_back(std::move(node));
      continue;
    }
    GraphTensor& output = graph.tensor(node.output);
    std::vector<std::byte> values = evaluate(graph, node, output);
    output.data = std::move(values);
    if (node.activation) {
      std::vector<std::byte> activated = evaluate(graph, activation_node(node), output);
      output.data = std::move(activated);
    }
    output.batch_axis = -1;
    ++result.changes;
  }
  graph.nodes = std::move(kept);
  sweep(graph);
  result.sentence = "computed " + counted(result.changes, "operator") + " ahead of time";
  return result;
}

}  // namespace figment::converter
