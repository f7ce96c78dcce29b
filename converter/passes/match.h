// Sees through the many ways of writing one product, for the passes that recognise patterns.
#pragma once

#include "converter/passes/edit.h"

namespace figment::converter {

// A tensor as coefficient * factor * factor ...; each factor is a tensor that is no product.
struct Product {
  double coefficient = 1;
  std::vector<TensorId> factors;  // sorted; x*x stands as x twice

  bool operator==(const Product& other) const;  // coefficients up to 0.1 %
};

// Takes Mul, Div by a number, Neg, and Pow by 2 or 3 apart.
Product expand(const Graph& graph, const Links& links, TensorId id);

Product operator*(const Product& left, const Product& right);

// Whether two numbers are the same up to 0.1 %: exporters round constants such as sqrt(2/pi).
bool nearly(double left, double right);

// When `id` is a Binary of `function` with a number on one side (either), the other side.
struct WithNumber {
  TensorId tensor = kAbsent;
  double number = 0;
};
std::optional<WithNumber> with_number(const Graph& graph, const Links& links, TensorId id,
                                      format::BinaryFunction function);

// The Unary of `function` that writes `id`, or null.
const Node* written_by_unary(const Graph& graph, const Links& links, TensorId id,
                             format::UnaryFunction function);

// The node becomes a Unary of x; what it read is swept when nobody else reads it.
void become_unary(Node& node, TensorId x, const format::UnaryT& unary);

}  // namespace figment::converter
