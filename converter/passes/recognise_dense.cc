// Makes a Dense of a matrix product with constant weights, as linear layers over more than two axes
// are exported; the bias that is added after it is folded by fold_batch_normalization.
#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/permutation.h"

namespace figment::converter {

PassResult recognise_dense(Graph& graph) {
  PassResult result;
  for (Node& node : graph.nodes) {
    if (!is_kind<format::MatMulT>(node)) continue;
    const TensorId x = node.inputs[0], weights = node.inputs[1];
    if (!graph.tensor(weights).constant() || graph.tensor(x).constant()) continue;
    // One axis would be dropped from the result, which Dense does not do.
    if (graph.tensor(weights).shape.rank != 2 || graph.tensor(x).shape.rank < 2) continue;
    node.inputs = {x, permute_constant(graph, weights, {1, 0})};
    node.options = make_options(format::DenseT{});
    ++result.changes;
  }
  sweep(graph);
  result.sentence = "made Dense of " + counted(result.changes, "MatMul");
  return result;
}

}  // namespace figment::converter
