// Gelu in every order in which exporters write it.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;
using format::UnaryFunction;

namespace {

TensorId gate(Graph& graph, TensorId inner, UnaryFunction function) {
  return binary(graph, unary(graph, inner, function), add_number(graph, 1.0f), BinaryFunction::Add);
}

// x + 0.044715 x^3
TensorId cubic(Graph& graph, TensorId x) {
  const TensorId cube = binary(graph, x, add_number(graph, 3.0f), BinaryFunction::Pow);
  return binary(graph, x, binary(graph, cube, add_number(graph, 0.044715f), BinaryFunction::Mul),
                BinaryFunction::Add);
}

void check_found(const Graph& before, UnaryFunction function) {
  Graph after = before;
  CHECK(recognise_gelu(after).changes == 1);
  REQUIRE(after.nodes.size() == 2);
  CHECK(after.nodes[1].as<format::UnaryT>().function == function);
  CHECK(difference(before, after) < 1e-5);
}

}  // namespace

TEST_CASE("x * (1 + erf(x / 1.414)) * 0.5, as PyTorch exports it") {
  Graph graph;
  const TensorId x = dense(graph, add_batch_input(graph, "x", {1, 5}), 7, 1);
  const TensorId scaled = binary(graph, x, add_number(graph, 1.41421356f), BinaryFunction::Div);
  const TensorId product =
      binary(graph, x, gate(graph, scaled, UnaryFunction::Erf), BinaryFunction::Mul);
  add_output(graph, binary(graph, product, add_number(graph, 0.5f), BinaryFunction::Mul));
  check_found(graph, UnaryFunction::Gelu);
}

TEST_CASE("(0.5 * x) * (1 + erf(x * 0.7071)), of an x that is itself a product") {
  Graph graph;
  const TensorId input = add_batch_input(graph, "x", {1, 5});
  const TensorId x = binary(graph, input, input, BinaryFunction::Mul);
  const TensorId scaled = binary(graph, add_number(graph, 0.70710678f), x, BinaryFunction::Mul);
  const TensorId half = binary(graph, add_number(graph, 0.5f), x, BinaryFunction::Mul);
  add_output(graph,
             binary(graph, gate(graph, scaled, UnaryFunction::Erf), half, BinaryFunction::Mul));
  check_found(graph, UnaryFunction::Gelu);
}

TEST_CASE("the tanh form") {
  Graph graph;
  const TensorId x = dense(graph, add_batch_input(graph, "x", {1, 5}), 7, 1);
  const TensorId scaled =
      binary(graph, cubic(graph, x), add_number(graph, 0.7978845608f), BinaryFunction::Mul);
  const TensorId half = binary(graph, x, add_number(graph, 0.5f), BinaryFunction::Mul);
  add_output(graph,
             binary(graph, half, gate(graph, scaled, UnaryFunction::Tanh), BinaryFunction::Mul));
  check_found(graph, UnaryFunction::GeluTanh);
}

TEST_CASE("other factors are no Gelu") {
  for (const float factor : {0.6f, 0.5f}) {
    Graph graph;
    const TensorId x = dense(graph, add_batch_input(graph, "x", {1, 5}), 7, 1);
    const TensorId other = dense(graph, x, 7, 3);
    const TensorId scaled = binary(graph, x, add_number(graph, 0.70710678f), BinaryFunction::Mul);
    // Once with a wrong factor, once with the gate of another tensor.
    const TensorId half =
        binary(graph, factor == 0.5f ? other : x, add_number(graph, factor), BinaryFunction::Mul);
    add_output(graph,
               binary(graph, half, gate(graph, scaled, UnaryFunction::Erf), BinaryFunction::Mul));
    CHECK(recognise_gelu(graph).changes == 0);
  }
}
