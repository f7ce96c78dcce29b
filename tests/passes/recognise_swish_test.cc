// Swish, HardSwish and Mish in their primitives.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;
using format::UnaryFunction;

namespace {

struct Start {
  Graph graph;
  TensorId x;
};
Start start() {
  Start result;
  result.x = dense(result.graph, add_batch_input(result.graph, "x", {1, 5}), 7, 1);
  return result;
}

void check_found(const Graph& before, UnaryFunction function, float alpha = 0.0f) {
  Graph after = before;
  CHECK(recognise_swish(after).changes == 1);
  REQUIRE(after.nodes.size() == 2);
  CHECK(after.nodes[1].as<format::UnaryT>().function == function);
  if (function == UnaryFunction::Swish) CHECK(after.nodes[1].as<format::UnaryT>().alpha == alpha);
  CHECK(difference(before, after) < 1e-5);
}

}  // namespace

TEST_CASE("x * sigmoid(x)") {
  auto [graph, x] = start();
  add_output(graph, binary(graph, unary(graph, x, UnaryFunction::Sigmoid), x, BinaryFunction::Mul));
  check_found(graph, UnaryFunction::Swish, 1.0f);
}

TEST_CASE("x * sigmoid(1.5 x)") {
  auto [graph, x] = start();
  const TensorId scaled = binary(graph, add_number(graph, 1.5f), x, BinaryFunction::Mul);
  add_output(graph,
             binary(graph, x, unary(graph, scaled, UnaryFunction::Sigmoid), BinaryFunction::Mul));
  check_found(graph, UnaryFunction::Swish, 1.5f);
}

TEST_CASE("x * tanh(softplus(x))") {
  auto [graph, x] = start();
  const TensorId softplus = unary(graph, x, UnaryFunction::Softplus);
  add_output(graph,
             binary(graph, x, unary(graph, softplus, UnaryFunction::Tanh), BinaryFunction::Mul));
  check_found(graph, UnaryFunction::Mish);
}

TEST_CASE("x * hard_sigmoid(x) and x * clip(x + 3, 0, 6) / 6") {
  auto [graph, x] = start();
  SUBCASE("hard sigmoid") {
    const TensorId gate = unary(graph, x, UnaryFunction::HardSigmoid, 1.0f / 6.0f, 0.5f);
    add_output(graph, binary(graph, x, gate, BinaryFunction::Mul));
  }
  SUBCASE("clip") {
    const TensorId sum = binary(graph, x, add_number(graph, 3.0f), BinaryFunction::Add);
    const TensorId product =
        binary(graph, x, unary(graph, sum, UnaryFunction::Clip, 0.0f, 6.0f), BinaryFunction::Mul);
    add_output(graph, binary(graph, product, add_number(graph, 6.0f), BinaryFunction::Div));
  }
  check_found(graph, UnaryFunction::HardSwish);
}

TEST_CASE("the gate of another tensor is none of these") {
  auto [graph, x] = start();
  const TensorId other = dense(graph, x, 7, 3);
  add_output(graph,
             binary(graph, x, unary(graph, other, UnaryFunction::Sigmoid), BinaryFunction::Mul));
  CHECK(recognise_swish(graph).changes == 0);
}

TEST_CASE("a gate with another slope is no HardSwish") {
  auto [graph, x] = start();
  const TensorId gate = unary(graph, x, UnaryFunction::HardSigmoid, 0.2f, 0.5f);
  add_output(graph, binary(graph, x, gate, BinaryFunction::Mul));
  CHECK(recognise_swish(graph).changes == 0);
}
