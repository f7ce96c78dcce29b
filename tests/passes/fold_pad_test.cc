// A zero Pad becomes padding; every other Pad stays.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

namespace {

TensorId pad(Graph& graph, TensorId x, const std::vector<std::int32_t>& before,
             const std::vector<std::int32_t>& after,
             format::PadMode mode = format::PadMode::Constant, float value = 0.0f) {
  return graph.add_node("pad", make_options(format::PadT{{}, mode, before, after, value}), {x});
}

TensorId average(Graph& graph, TensorId x, int padding, bool count_include_pad,
                 format::PoolFunction function = format::PoolFunction::Average) {
  format::Pool2DT pool;
  pool.function = function;
  pool.kernel_height = pool.kernel_width = 3;
  pool.pad_top = pool.pad_left = pool.pad_bottom = pool.pad_right = padding;
  pool.count_include_pad = count_include_pad;
  return graph.add_node("pool", make_options(pool), {x});
}

TensorId picture(Graph& graph) { return add_batch_input(graph, "x", {1, 5, 6, 2}); }

}  // namespace

TEST_CASE("before a convolution, uneven on every side") {
  Graph before;
  add_output(before,
             convolution(before, pad(before, picture(before), {0, 1, 0, 0}, {0, 2, 3, 0}), 3, 1));
  Graph after = before;
  CHECK(fold_pad(after).changes == 1);
  CHECK(count<format::PadT>(after) == 0);
  CHECK(difference(before, after) < 1e-6);
}

TEST_CASE("before an average pool, which then counts the zeros") {
  Graph before;
  add_output(before,
             average(before, pad(before, picture(before), {0, 1, 1, 0}, {0, 1, 1, 0}), 0, false));
  Graph after = before;
  CHECK(fold_pad(after).changes == 1);
  CHECK(count<format::PadT>(after) == 0);
  CHECK(difference(before, after) < 1e-6);
}

TEST_CASE("padding that means something else stays") {
  Graph graph;
  const TensorId x = picture(graph);
  SUBCASE("ones") {
    convolution(graph, pad(graph, x, {0, 1, 1, 0}, {0, 1, 1, 0}, format::PadMode::Constant, 1.0f),
                3, 1);
  }
  SUBCASE("reflected") {
    convolution(graph, pad(graph, x, {0, 1, 1, 0}, {0, 1, 1, 0}, format::PadMode::Reflect), 3, 1);
  }
  SUBCASE("channels") { convolution(graph, pad(graph, x, {0, 0, 0, 1}, {0, 0, 0, 0}), 3, 1); }
  SUBCASE("before a maximum") {
    average(graph, pad(graph, x, {0, 1, 1, 0}, {0, 1, 1, 0}), 0, false, format::PoolFunction::Max);
  }
  SUBCASE("before a pool that does not count its own padding") {
    average(graph, pad(graph, x, {0, 1, 1, 0}, {0, 1, 1, 0}), 1, false);
  }
  add_output(graph, graph.nodes.back().output);
  const Graph before = graph;
  CHECK(fold_pad(graph).changes == 0);
  CHECK(count<format::PadT>(graph) == 1);
  CHECK(difference(before, graph) == 0.0);
}

TEST_CASE("a Pad with two readers goes only where it folds") {
  Graph before;
  const TensorId padded = pad(before, picture(before), {0, 1, 1, 0}, {0, 1, 1, 0});
  add_output(before, convolution(before, padded, 3, 1));
  add_output(before, unary(before, padded, format::UnaryFunction::Tanh));
  Graph after = before;
  CHECK(fold_pad(after).changes == 1);
  CHECK(count<format::PadT>(after) == 1);
  CHECK(difference(before, after) < 1e-6);
}
