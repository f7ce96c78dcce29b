// A MatMul with constant weights becomes a Dense, others stay.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

namespace {

TensorId product(Graph& graph, TensorId a, TensorId b) {
  return graph.add_node("product", make_options(format::MatMulT{}), {a, b});
}

}  // namespace

TEST_CASE("constant weights, with the bias after") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 4, 5});
  const TensorId y = product(before, x, add_some(before, {5, 7}, 1));
  add_output(before, binary(before, y, add_some(before, {7}, 2), format::BinaryFunction::Add));
  Graph after = before;
  CHECK(recognise_dense(after).changes == 1);
  fold_batch_normalization(after);
  REQUIRE(after.nodes.size() == 1);
  CHECK(count<format::DenseT>(after) == 1);
  CHECK(difference(before, after) < 1e-5);
}

TEST_CASE("weights that are computed, or one matrix for each of a batch, stay") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 4, 5});
  add_output(before, product(before, product(before, x, transpose(before, x, {0, 2, 1})),
                             add_some(before, {1, 4, 3}, 1)));
  Graph after = before;
  CHECK(recognise_dense(after).changes == 0);
  CHECK(count<format::MatMulT>(after) == 2);
}
