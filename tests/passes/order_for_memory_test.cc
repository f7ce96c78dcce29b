// Branches run one after another where that keeps less alive; the results and straight chains stay.
#include <doctest/doctest.h>

#include "converter/passes/passes.h"
#include "tests/passes/graph_runner.h"

using namespace figment::converter;
namespace format = figment::format;

TEST_CASE("two branches that grow and shrink are not grown at once") {
  Graph before;
  const TensorId x = add_batch_input(before, "x", {1, 8});
  const TensorId left = dense(before, x, 1000, 1), right = dense(before, x, 1000, 3);
  const TensorId first = dense(before, left, 8, 5), second = dense(before, right, 8, 7);
  add_output(before, binary(before, first, second, format::BinaryFunction::Add));
  Graph after = before;
  const PassResult result = order_for_memory(after);
  CHECK(result.changes > 0);
  // The large tensor of one branch is read before the other's is made.
  CHECK(after.nodes[1].inputs[0] == after.nodes[0].output);
  CHECK(holds_at_batch(after, 3));
  CHECK(difference(before, after) == 0.0);
  // The input, a finished branch, the other's large tensor and what it shrinks to; and as it stood,
  // the input, both large tensors and what the first shrinks to.
  CHECK(result.sentence.find(std::to_string(4 * (8 + 8 + 1000 + 8)) + " bytes are alive") !=
        std::string::npos);
  CHECK(result.sentence.find("instead of " + std::to_string(4 * (8 + 1000 + 1000 + 8))) !=
        std::string::npos);
}

TEST_CASE("a chain keeps its order") {
  Graph graph;
  TensorId x = add_batch_input(graph, "x", {1, 8});
  x = dense(graph, x, 100, 1);
  x = unary(graph, x, format::UnaryFunction::Relu);
  add_output(graph, dense(graph, x, 8, 3));
  const PassResult result = order_for_memory(graph);
  CHECK(result.changes == 0);
  CHECK(graph.nodes[1].inputs[0] == graph.nodes[0].output);
  // The input, and the 100 in which Relu works in place; then the output beside them.
  CHECK(result.sentence.find(std::to_string(4 * (8 + 100 + 8)) + " bytes") != std::string::npos);
}
