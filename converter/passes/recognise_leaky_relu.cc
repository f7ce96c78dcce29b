// Finds LeakyRelu and Relu in the choice by which exporters of today write them:
//   x < 0 ? slope * x : x      and the same with <=, and with the operands the other way round
//   x < 0 ? 0 : x
#include "converter/passes/match.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::CompareFunction;
using format::UnaryFunction;

// What a comparison says of x beside 0: that it is below (or at) it, or above.
enum class Side { kNone, kBelow, kAbove };

Side side_of(const Graph& graph, const Links& links, TensorId condition, TensorId x) {
  const Node* compare = written_by<format::CompareT>(graph, links, condition);
  if (compare == nullptr) return Side::kNone;
  const CompareFunction function = compare->as<format::CompareT>().function;
  if (function != CompareFunction::Less && function != CompareFunction::LessOrEqual)
    return Side::kNone;
  const TensorId left = compare->inputs[0];
  const TensorId right = compare->inputs[1];
  if (left == x && scalar_value(graph, right) == 0.0f) return Side::kBelow;
  if (right == x && scalar_value(graph, left) == 0.0f) return Side::kAbove;
  return Side::kNone;
}

// What stands for x where it is negative, as an activation; nothing when it is something else.
std::optional<format::UnaryT> activation_of(const Graph& graph, const Links& links,
                                            TensorId negative, TensorId x, Side side) {
  // Of NaN the other form, x > 0 ? x : 0, makes 0.
  if (scalar_value(graph, negative) == 0.0f && side == Side::kBelow)
    return format::UnaryT{{}, UnaryFunction::Relu, 0.0f, 0.0f};
  const auto product = with_number(graph, links, negative, BinaryFunction::Mul);
  if (!product || product->tensor != x) return std::nullopt;
  return format::UnaryT{{}, UnaryFunction::LeakyRelu, static_cast<float>(product->number), 0.0f};
}

bool recognise(Graph& graph, const Links& links, Node& node) {
  if (!is_kind<format::SelectT>(node)) return false;
  for (const int kept : {1, 2}) {
    const TensorId x = node.inputs[static_cast<std::size_t>(kept)];
    const TensorId other = node.inputs[static_cast<std::size_t>(3 - kept)];
    if (!(graph.tensor(x).shape == graph.tensor(node.output).shape)) continue;
    // Where the condition holds the first of the two is taken.
    const Side wanted = kept == 1 ? Side::kAbove : Side::kBelow;
    const auto activation = activation_of(graph, links, other, x, wanted);
    if (!activation || side_of(graph, links, node.inputs[0], x) != wanted) continue;
    become_unary(node, x, *activation);
    return true;
  }
  return false;
}

}  // namespace

PassResult recognise_leaky_relu(Graph& graph) {
  PassResult result;
  const Links links = link(graph);
  for (Node& node : graph.nodes)
    if (recognise(graph, links, node)) ++result.changes;
  sweep(graph);
  result.sentence = "found " + counted(result.changes, "LeakyRelu") + " in its primitives";
  return result;
}

}  // namespace figment::converter
