// Layer normalization as it is exported before opset 17 becomes one operator.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;

namespace {

TensorId mean(Graph& graph, TensorId x, std::vector<std::int32_t> axes) {
  return graph.add_node(
      "mean", make_options(format::ReduceT{{}, format::ReduceFunction::Mean, axes, true}), {x});
}

TensorId exported(Graph& graph, TensorId x, const std::vector<std::int32_t>& axes,
                  bool multiply = false) {
  const TensorId d = binary(graph, x, mean(graph, x, axes), BinaryFunction::Sub);
  const TensorId square = multiply ? binary(graph, d, d, BinaryFunction::Mul)
                                   : binary(graph, d, add_number(graph, 2.0f), BinaryFunction::Pow);
  const TensorId sum =
      binary(graph, mean(graph, square, axes), add_number(graph, 1e-3f), BinaryFunction::Add);
  const TensorId deviation = unary(graph, sum, format::UnaryFunction::Sqrt);
  if (!multiply) return binary(graph, d, deviation, BinaryFunction::Div);
  return binary(graph, d, binary(graph, add_number(graph, 1.0f), deviation, BinaryFunction::Div),
                BinaryFunction::Mul);
}

}  // namespace

TEST_CASE("over the last axis or two, with scale and bias") {
  for (const bool multiply : {false, true}) {
    for (const int axes : {1, 2}) {
      Graph before;
      TensorId x =
          unary(before, add_batch_input(before, "x", {1, 3, 4, 5}), format::UnaryFunction::Tanh);
      x = exported(before, x,
                   axes == 1 ? std::vector<std::int32_t>{3} : std::vector<std::int32_t>{2, 3},
                   multiply);
      const std::vector<std::int64_t> shape =
          axes == 1 ? std::vector<std::int64_t>{5} : std::vector<std::int64_t>{1, 4, 5};
      x = binary(before, x, add_some(before, shape, 3), BinaryFunction::Mul);
      add_output(before, binary(before, x, add_some(before, shape, 4), BinaryFunction::Add));
      Graph after = before;
      CHECK(recognise_layer_normalization(after).changes == 1);
      REQUIRE(after.nodes.size() == 2);
      CHECK(after.nodes[1].as<format::LayerNormalizationT>().axes == axes);
      CHECK(after.nodes[1].inputs.size() == 3);
      CHECK(difference(before, after) < 1e-5);
    }
  }
}

TEST_CASE("not over other axes, nor with the deviation of something else") {
  Graph before;
  const TensorId x =
      unary(before, add_batch_input(before, "x", {1, 3, 4, 5}), format::UnaryFunction::Tanh);
  SUBCASE("channels of N,C,H,W") { add_output(before, exported(before, x, {1})); }
  SUBCASE("another tensor") {
    const TensorId other = unary(before, x, format::UnaryFunction::Sigmoid);
    const TensorId d = binary(before, x, mean(before, other, {3}), BinaryFunction::Sub);
    const TensorId square = binary(before, d, d, BinaryFunction::Mul);
    const TensorId sum =
        binary(before, mean(before, square, {3}), add_number(before, 1e-3f), BinaryFunction::Add);
    add_output(before, binary(before, d, unary(before, sum, format::UnaryFunction::Sqrt),
                              BinaryFunction::Div));
  }
  Graph after = before;
  CHECK(recognise_layer_normalization(after).changes == 0);
  CHECK(count<format::LayerNormalizationT>(after) == 0);
}

TEST_CASE("a scale after the bias stays outside") {
  Graph before;
  TensorId x = unary(before, add_batch_input(before, "x", {1, 3, 5}), format::UnaryFunction::Tanh);
  x = binary(before, exported(before, x, {2}), add_some(before, {5}, 3), BinaryFunction::Add);
  add_output(before, binary(before, x, add_some(before, {5}, 4), BinaryFunction::Mul));
  Graph after = before;
  recognise_layer_normalization(after);
  CHECK(count<format::BinaryT>(after) == 1);
  CHECK(difference(before, after) < 1e-5);
}
