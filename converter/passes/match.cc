// Sees through the many ways of writing one product.
#include "converter/passes/match.h"

#include <algorithm>
#include <cmath>

namespace figment::converter {
namespace {

// Products longer than this are no activation's.
constexpr std::size_t kMostFactors = 16;

void expand_into(const Graph& graph, const Links& links, TensorId id, Product& product) {
  const auto keep = [&] { product.factors.push_back(id); };
  if (const std::optional<float> number = scalar_value(graph, id)) {
    product.coefficient *= static_cast<double>(*number);
    return;
  }
  if (product.factors.size() >= kMostFactors) return keep();
  if (const Node* neg = written_by_unary(graph, links, id, format::UnaryFunction::Neg)) {
    product.coefficient = -product.coefficient;
    return expand_into(graph, links, neg->inputs[0], product);
  }
  const Node* binary = written_by<format::BinaryT>(graph, links, id);
  if (binary == nullptr) return keep();
  const std::optional<float> right = scalar_value(graph, binary->inputs[1]);
  switch (binary->as<format::BinaryT>().function) {
    case format::BinaryFunction::Mul:
      expand_into(graph, links, binary->inputs[0], product);
      return expand_into(graph, links, binary->inputs[1], product);
    case format::BinaryFunction::Div:
      if (!right || *right == 0.0f) return keep();
      product.coefficient /= static_cast<double>(*right);
      return expand_into(graph, links, binary->inputs[0], product);
    case format::BinaryFunction::Pow:
      if (!right || (*right != 2.0f && *right != 3.0f)) return keep();
      for (int i = 0; i < static_cast<int>(*right); ++i)
        expand_into(graph, links, binary->inputs[0], product);
      return;
    default:
      return keep();
  }
}

}  // namespace

bool nearly(double left, double right) {
  return std::fabs(left - right) <= 1e-3 * std::max(std::fabs(left), std::fabs(right));
}

bool Product::operator==(const Product& other) const {
  return nearly(coefficient, other.coefficient) && factors == other.factors;
}

Product expand(const Graph& graph, const Links& links, TensorId id) {
  Product product;
  expand_into(graph, links, id, product);
  std::sort(product.factors.begin(), product.factors.end());
  return product;
}

Product operator*(const Product& left, const Product& right) {
  Product product = left;
  product.coefficient *= right.coefficient;
  product.factors.insert(product.factors.end(), right.factors.begin(), right.factors.end());
  std::sort(product.factors.begin(), product.factors.end());
  return product;
}

std::optional<WithNumber> with_number(const Graph& graph, const Links& links, TensorId id,
                                      format::BinaryFunction function) {
  const Node* binary = written_by<format::BinaryT>(graph, links, id);
  if (binary == nullptr || binary->as<format::BinaryT>().function != function) return std::nullopt;
  for (int side = 0; side < 2; ++side)
    if (const std::optional<float> number = scalar_value(graph, binary->inputs[1 - side]))
      return WithNumber{binary->inputs[side], static_cast<double>(*number)};
  return std::nullopt;
}

const Node* written_by_unary(const Graph& graph, const Links& links, TensorId id,
                             format::UnaryFunction function) {
  const Node* unary = written_by<format::UnaryT>(graph, links, id);
  return unary != nullptr && unary->as<format::UnaryT>().function == function ? unary : nullptr;
}

void become_unary(Node& node, TensorId x, const format::UnaryT& unary) {
  node.options = make_options(unary);
  node.inputs = {x};
}

}  // namespace figment::converter
