// Makes a Unary the activation of the operator before it: computed in place, or by the operator.
#include <cmath>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "runtime/ops/operator.h"

namespace figment::converter {
namespace {

// The plainest function that does the same.
format::UnaryT simplified(const format::UnaryT& unary) {
  format::UnaryT result = unary;
  const bool is_clip = unary.function == format::UnaryFunction::Clip;
  // float32's largest number stands for "no limit" in some exporters.
  const bool no_limit = is_clip && unary.beta >= 3.4028234e38f;
  if (is_clip && no_limit && unary.alpha == 0.0f)
    result.function = format::UnaryFunction::Relu;
  else if (is_clip && no_limit && unary.alpha <= -3.4028234e38f)
    result.function = format::UnaryFunction::Identity;
  else if (unary.function == format::UnaryFunction::LeakyRelu && unary.alpha == 0.0f)
    result.function = format::UnaryFunction::Relu;
  else
    return result;
  result.alpha = result.beta = 0.0f;
  return result;
}

// An activation works in place, so the operator's output must be memory of its own.
bool may_carry(const Node& node) {
  const ops::OperatorRoom* room = ops::kOperators[static_cast<int>(node.kind())].room;
  return !node.activation && room != nullptr && room->memory != ops::Memory::kAlias;
}

// The node whose output `id` is, seen through Reshapes that are read once; -1 when there is none.
int source_of(const Graph& graph, const Links& links, TensorId id) {
  while (links.has_one_reader(id) && links.producer[id] >= 0) {
    const Node& node = graph.nodes[links.producer[id]];
    if (!is_kind<format::ReshapeT>(node)) return links.producer[id];
    id = node.inputs[0];
  }
  return -1;
}

bool fuse_one(Graph& graph) {
  const Links links = link(graph);
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    Node& unary = graph.nodes[index];
    if (!is_kind<format::UnaryT>(unary) || unary.activation) continue;
    const int source = source_of(graph, links, unary.inputs[0]);
    if (source < 0 || !may_carry(graph.nodes[source])) continue;
    graph.nodes[source].activation = unary.as<format::UnaryT>();
    redirect(graph, unary.output, unary.inputs[0]);
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
    return true;
  }
  return false;
}

}  // namespace

PassResult fuse_activation(Graph& graph) {
  PassResult result;
  for (Node& node : graph.nodes)
    if (is_kind<format::UnaryT>(node))
      node.as<format::UnaryT>() = simplified(node.as<format::UnaryT>());
  drop_identities(graph);
  while (fuse_one(graph)) ++result.changes;
  sweep(graph);
  result.sentence =
      "made " + counted(result.changes, "activation") + " part of the operator before";
  return result;
}

}  // namespace figment::converter
