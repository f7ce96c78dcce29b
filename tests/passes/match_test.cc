// Products are seen through the way they are written.
#include "converter/passes/match.h"

#include <doctest/doctest.h>

#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;

TEST_CASE("Mul, Div by a number, Neg and Pow come apart") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3}), y = add_batch_input(graph, "y", {1, 3});
  TensorId z = binary(graph, x, binary(graph, add_number(graph, 6.0f), y, BinaryFunction::Mul),
                      BinaryFunction::Mul);
  z = unary(graph, binary(graph, z, add_number(graph, 2.0f), BinaryFunction::Div),
            format::UnaryFunction::Neg);
  z = binary(graph, z, binary(graph, y, add_number(graph, 3.0f), BinaryFunction::Pow),
             BinaryFunction::Mul);
  const Product product = expand(graph, link(graph), z);
  CHECK(product.coefficient == -3.0);
  CHECK(product.factors == std::vector<TensorId>{x, y, y, y, y});
}

TEST_CASE("sums, other powers and other divisors are factors of their own") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3}), y = add_batch_input(graph, "y", {1, 3});
  for (const TensorId z :
       {binary(graph, x, y, BinaryFunction::Add), binary(graph, x, y, BinaryFunction::Div),
        binary(graph, x, add_number(graph, 0.5f), BinaryFunction::Pow)})
    CHECK(expand(graph, link(graph), z).factors == std::vector<TensorId>{z});
}

TEST_CASE("numbers are the same up to a thousandth") {
  CHECK(nearly(0.7979, 0.79788456));
  CHECK_FALSE(nearly(0.79, 0.79788456));
  CHECK_FALSE(nearly(1.0, -1.0));
}

TEST_CASE("a number may stand on either side") {
  Graph graph;
  const TensorId x = add_batch_input(graph, "x", {1, 3});
  const TensorId left = binary(graph, add_number(graph, 2.0f), x, BinaryFunction::Add);
  const TensorId right = binary(graph, x, add_number(graph, 3.0f), BinaryFunction::Add);
  const Links links = link(graph);
  CHECK(with_number(graph, links, left, BinaryFunction::Add)->number == 2.0);
  CHECK(with_number(graph, links, right, BinaryFunction::Add)->tensor == x);
  CHECK_FALSE(with_number(graph, links, right, BinaryFunction::Mul).has_value());
}
