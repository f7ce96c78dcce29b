// LeakyRelu and Relu written as a choice.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;
using format::CompareFunction;
using format::UnaryFunction;

namespace {

struct Start {
  Graph graph;
  TensorId x, zero, scaled;
};
Start start() {
  Start result;
  result.x = dense(result.graph, add_batch_input(result.graph, "x", {1, 5}), 7, 1);
  result.zero = add_number(result.graph, 0);
  result.scaled =
      binary(result.graph, result.x, add_number(result.graph, 0.2f), BinaryFunction::Mul);
  return result;
}

TensorId compare(Graph& graph, TensorId a, TensorId b, CompareFunction function) {
  format::CompareT options;
  options.function = function;
  return graph.add_node("compare", make_options(options), {a, b});
}

TensorId choose(Graph& graph, TensorId condition, TensorId a, TensorId b) {
  return graph.add_node("choose", make_options(format::SelectT{}), {condition, a, b});
}

void check_found(const Graph& before, UnaryFunction function) {
  Graph after = before;
  CHECK(recognise_leaky_relu(after).changes == 1);
  REQUIRE(after.nodes.size() == 2);
  CHECK(after.nodes[1].as<format::UnaryT>().function == function);
  CHECK(difference(before, after) == 0);
}

void check_left_alone(Graph graph) { CHECK(recognise_leaky_relu(graph).changes == 0); }

}  // namespace

TEST_CASE("x < 0 ? slope * x : x, in its four forms") {
  for (const CompareFunction function : {CompareFunction::Less, CompareFunction::LessOrEqual}) {
    for (const bool above : {false, true}) {
      auto [graph, x, zero, scaled] = start();
      const TensorId condition =
          above ? compare(graph, zero, x, function) : compare(graph, x, zero, function);
      add_output(graph,
                 above ? choose(graph, condition, x, scaled) : choose(graph, condition, scaled, x));
      check_found(graph, UnaryFunction::LeakyRelu);
    }
  }
}

TEST_CASE("x < 0 ? 0 : x") {
  auto [graph, x, zero, scaled] = start();
  add_output(graph, choose(graph, compare(graph, x, zero, CompareFunction::Less), zero, x));
  check_found(graph, UnaryFunction::Relu);
}

TEST_CASE("what is something else is left alone") {
  {
    // The slope on the wrong side.
    auto [graph, x, zero, scaled] = start();
    add_output(graph, choose(graph, compare(graph, x, zero, CompareFunction::Less), x, scaled));
    check_left_alone(graph);
  }
  {
    // Another comparison.
    auto [graph, x, zero, scaled] = start();
    add_output(graph, choose(graph, compare(graph, x, zero, CompareFunction::Equal), scaled, x));
    check_left_alone(graph);
  }
  {
    // A limit that is not 0.
    auto [graph, x, zero, scaled] = start();
    const TensorId one = add_number(graph, 1);
    add_output(graph, choose(graph, compare(graph, x, one, CompareFunction::Less), scaled, x));
    check_left_alone(graph);
  }
  {
    // Of NaN this makes 0, which Relu does not.
    auto [graph, x, zero, scaled] = start();
    add_output(graph, choose(graph, compare(graph, zero, x, CompareFunction::Less), x, zero));
    check_left_alone(graph);
  }
}
