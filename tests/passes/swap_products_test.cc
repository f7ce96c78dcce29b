// A product of two transposed matrices becomes the transposed product of the two; others stay.
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

TEST_CASE("both operands transposed, with matrices of one batch or of one each") {
  for (const bool batched : {true, false}) {
    Graph before;
    const TensorId a = add_batch_input(before, "a", {1, 3, 4});
    const TensorId b = batched
                           ? add_batch_input(before, "b", {1, 5, 3})
                           : before.add_input("b", figment::DataType::kFloat32, make_shape({5, 3}));
    const TensorId left = transpose(before, a, {0, 2, 1});
    const TensorId right = batched ? transpose(before, b, {0, 2, 1}) : transpose(before, b, {1, 0});
    add_output(before, product(before, left, right));
    Graph after = before;
    CHECK(swap_products(after).changes == 1);
    CHECK(count<format::TransposeT>(after) == 1);
    CHECK(difference(before, after) < 1e-6);
  }
}

TEST_CASE("one operand transposed, or other axes, stays") {
  Graph before;
  const TensorId a = add_batch_input(before, "a", {1, 2, 3, 4});
  SUBCASE("one") { add_output(before, product(before, transpose(before, a, {0, 1, 3, 2}), a)); }
  SUBCASE("other axes") {
    const TensorId left = transpose(before, a, {0, 2, 3, 1});
    add_output(before, product(before, left, transpose(before, a, {0, 2, 1, 3})));
  }
  Graph after = before;
  CHECK(swap_products(after).changes == 0);
  CHECK(difference(before, after) == 0.0);
}
