// Finds the activations that are x times a gate of x:
//   Swish      x * sigmoid(alpha * x)
//   Mish       x * tanh(softplus(x))
//   HardSwish  x * hard_sigmoid(x) with slope 1/6, or x * clip(x + 3, 0, 6) / 6
#include <algorithm>

#include "converter/passes/match.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::UnaryFunction;

// What x * gate is, with `coefficient` in front of the product.
std::optional<format::UnaryT> match_gate(const Graph& graph, const Links& links, TensorId x,
                                         TensorId gate, double coefficient) {
  const Node* node = written_by<format::UnaryT>(graph, links, gate);
  if (node == nullptr) return std::nullopt;
  const format::UnaryT& unary = node->as<format::UnaryT>();
  const TensorId inner = node->inputs[0];
  const bool alone = nearly(coefficient, 1.0);
  switch (unary.function) {
    case UnaryFunction::Sigmoid: {
      if (!alone) return std::nullopt;
      if (inner == x) return format::UnaryT{{}, UnaryFunction::Swish, 1.0f, 0.0f};
      const auto scaled = with_number(graph, links, inner, BinaryFunction::Mul);
      if (!scaled || scaled->tensor != x) return std::nullopt;
      return format::UnaryT{{}, UnaryFunction::Swish, static_cast<float>(scaled->number), 0.0f};
    }
    case UnaryFunction::Tanh: {
      const Node* softplus = written_by_unary(graph, links, inner, UnaryFunction::Softplus);
      if (!alone || softplus == nullptr || softplus->inputs[0] != x) return std::nullopt;
      return format::UnaryT{{}, UnaryFunction::Mish, 0.0f, 0.0f};
    }
    case UnaryFunction::HardSigmoid: {
      const bool is_gate = static_cast<double>(unary.beta) == 0.5 &&
                           nearly(static_cast<double>(unary.alpha), 1.0 / 6.0);
      if (!alone || inner != x || !is_gate) return std::nullopt;
      return format::UnaryT{{}, UnaryFunction::HardSwish, 0.0f, 0.0f};
    }
    case UnaryFunction::Clip: {
      const auto sum = with_number(graph, links, inner, BinaryFunction::Add);
      const bool is_gate = unary.alpha == 0.0f && unary.beta == 6.0f &&
                           nearly(coefficient, 1.0 / 6.0) && sum && sum->tensor == x &&
                           sum->number == 3.0;
      if (!is_gate) return std::nullopt;
      return format::UnaryT{{}, UnaryFunction::HardSwish, 0.0f, 0.0f};
    }
    default:
      return std::nullopt;
  }
}

bool recognise_one(Graph& graph) {
  const Links links = link(graph);
  for (Node& node : graph.nodes) {
    if (!is_kind<format::BinaryT>(node) || node.activation) continue;
    // x itself may be a product, so the two factors are first looked for as they are written.
    std::vector<Product> readings;
    if (node.as<format::BinaryT>().function == BinaryFunction::Mul) {
      Product written;
      written.factors = node.inputs;
      readings.push_back(written);
    }
    readings.push_back(expand(graph, links, node.output));
    for (const Product& product : readings) {
      if (product.factors.size() != 2) continue;
      for (int side = 0; side < 2; ++side) {
        const TensorId x = product.factors[side];
        const auto unary =
            match_gate(graph, links, x, product.factors[1 - side], product.coefficient);
        if (!unary || !(graph.tensor(x).shape == graph.tensor(node.output).shape)) continue;
        become_unary(node, x, *unary);
        return true;
      }
    }
  }
  return false;
}

}  // namespace

PassResult recognise_swish(Graph& graph) {
  PassResult result;
  while (recognise_one(graph)) ++result.changes;
  sweep(graph);
  result.sentence = "found " + counted(result.changes, "activation") +
                    " (Swish, HardSwish, Mish) in their primitives";
  return result;
}

}  // namespace figment::converter
