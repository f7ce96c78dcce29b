// nn.GroupNorm as PyTorch exports it becomes one operator.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;
using format::BinaryFunction;

namespace {

TensorId exported(Graph& graph, TensorId x, int groups,
                  std::optional<int> other_channels = std::nullopt) {
  const figment::Shape shape = graph.tensor(x).shape;
  const TensorId split = reshape(graph, x, {1, groups, shape.elements() / groups});
  const TensorId last = transpose(graph, split, {0, 2, 1});
  const TensorId scale = add_some(graph, {groups}, 11), bias = add_some(graph, {groups}, 12);
  const TensorId normal =
      graph.add_node("instance", make_options(format::GroupNormalizationT{{}, groups, 1e-5f}),
                     {last, scale, bias});
  const TensorId first = transpose(graph, normal, {0, 2, 1});
  const int channels = other_channels.value_or(shape[1]);
  return reshape(graph, first, {1, channels, shape[1] * shape[2] / channels, shape[3]});
}

}  // namespace

TEST_CASE("with scale and bias per channel after it") {
  for (const int groups : {1, 2, 6}) {
    Graph before;
    TensorId x = from_last(
        before,
        convolution(before, to_last(before, add_batch_input(before, "x", {1, 2, 4, 5})), 6, 1));
    x = exported(before, x, groups);
    x = binary(before, x, add_some(before, {6, 1, 1}, 3), BinaryFunction::Mul);
    x = binary(before, x, add_some(before, {6, 1, 1}, 4), BinaryFunction::Add);
    add_output(before, x);
    Graph after = before;
    CHECK(recognise_group_normalization(after).changes == 1);
    CHECK(count<format::ReshapeT>(after) == 0);
    CHECK(difference(before, after) < 1e-4);
    to_nhwc(after);
    fold_batch_normalization(after);
    CHECK(after.nodes.size() == 2);
    CHECK(difference(before, after) < 1e-4);
  }
}

TEST_CASE("not when the last Reshape gives another shape") {
  Graph before;
  add_output(before, exported(before, add_batch_input(before, "x", {1, 6, 4, 5}), 2, 12));
  Graph after = before;
  CHECK(recognise_group_normalization(after).changes == 0);
  CHECK(difference(before, after) == 0.0);
}
