// Finds Gelu in the primitives that exporters write it with:
//   exact: 0.5 * x * (1 + erf(x / sqrt(2)))
//   tanh:  0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x^3)))
// in any order of the factors.
#include <cmath>

#include "converter/passes/match.h"
#include "converter/passes/passes.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::UnaryFunction;

constexpr double kCubic = 0.044715;

Product power(const Product& x, int exponent) {
  Product result;
  for (int i = 0; i < exponent; ++i) result = result * x;
  return result;
}

Product scaled(Product product, double factor) {
  product.coefficient *= factor;
  return product;
}

// x, when `id` is x * factor written as one Mul or Div.
TensorId unscaled(const Graph& graph, const Links& links, TensorId id, double factor) {
  const auto times = with_number(graph, links, id, BinaryFunction::Mul);
  if (times && nearly(times->number, factor)) return times->tensor;
  const Node* binary = written_by<format::BinaryT>(graph, links, id);
  if (binary == nullptr || binary->as<format::BinaryT>().function != BinaryFunction::Div)
    return kAbsent;
  const std::optional<float> divisor = scalar_value(graph, binary->inputs[1]);
  return divisor && nearly(1.0 / static_cast<double>(*divisor), factor) ? binary->inputs[0]
                                                                        : kAbsent;
}

// x, when `id` is x + 0.044715 * x^3, or x * (1 + 0.044715 * x^2).
TensorId match_cubic(const Graph& graph, const Links& links, TensorId id) {
  const Node* binary = written_by<format::BinaryT>(graph, links, id);
  if (binary == nullptr) return kAbsent;
  for (int side = 0; side < 2; ++side) {
    const TensorId x = binary->inputs[side], other = binary->inputs[1 - side];
    if (x == kAbsent || other == kAbsent) continue;
    const Product product = expand(graph, links, x);
    if (binary->as<format::BinaryT>().function == BinaryFunction::Add) {
      if (expand(graph, links, other) == scaled(power(product, 3), kCubic)) return x;
    } else if (binary->as<format::BinaryT>().function == BinaryFunction::Mul) {
      const auto sum = with_number(graph, links, other, BinaryFunction::Add);
      if (sum && nearly(sum->number, 1.0) &&
          expand(graph, links, sum->tensor) == scaled(power(product, 2), kCubic))
        return x;
    }
  }
  return kAbsent;
}

// x and the kind of Gelu, when `id` is 1 + erf(...) or 1 + tanh(...) of such an x.
struct Match {
  TensorId x = kAbsent;
  UnaryFunction function = UnaryFunction::Gelu;
};
Match match_gate(const Graph& graph, const Links& links, TensorId id) {
  const auto sum = with_number(graph, links, id, BinaryFunction::Add);
  if (!sum || !nearly(sum->number, 1.0)) return {};
  if (const Node* erf = written_by_unary(graph, links, sum->tensor, UnaryFunction::Erf))
    return {unscaled(graph, links, erf->inputs[0], std::sqrt(0.5)), UnaryFunction::Gelu};
  if (const Node* tanh = written_by_unary(graph, links, sum->tensor, UnaryFunction::Tanh)) {
    const double scale = std::sqrt(2.0 / 3.14159265358979323846);
    const TensorId cubic = unscaled(graph, links, tanh->inputs[0], scale);
    return {match_cubic(graph, links, cubic), UnaryFunction::GeluTanh};
  }
  return {};
}

bool recognise_one(Graph& graph) {
  const Links links = link(graph);
  for (Node& node : graph.nodes) {
    if (!is_kind<format::BinaryT>(node) || node.activation) continue;
    const Product product = expand(graph, links, node.output);
    for (const TensorId factor : product.factors) {
      const Match match = match_gate(graph, links, factor);
      if (match.x == kAbsent) continue;
      Product gate;
      gate.factors = {factor};
      if (!(product == scaled(expand(graph, links, match.x) * gate, 0.5))) continue;
      if (!(graph.tensor(match.x).shape == graph.tensor(node.output).shape)) continue;
      become_unary(node, match.x, {{}, match.function, 0.0f, 0.0f});
      return true;
    }
  }
  return false;
}

}  // namespace

PassResult recognise_gelu(Graph& graph) {
  PassResult result;
  while (recognise_one(graph)) ++result.changes;
  sweep(graph);
  result.sentence = "found " + counted(result.changes, "Gelu") + " in its primitives";
  return result;
}

}  // namespace figment::converter
