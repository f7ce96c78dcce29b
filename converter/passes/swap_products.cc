// Swaps the operands of a product of two transposed matrices: transpose(a) transpose(b) is
// transpose(b a). One Transpose takes the place of two, and to_nhwc moves it on; attention as it is
// exported from N,C,H,W has such products.
#include <numeric>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"
#include "converter/passes/permutation.h"

namespace figment::converter {
namespace {

// The last two axes change places, the others stay.
Permutation last_two_swapped(int rank) {
  Permutation permutation(rank);
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[rank - 2], permutation[rank - 1]);
  return permutation;
}

// The tensor that `id` is the transposed matrices of, or kAbsent.
TensorId untransposed(const Graph& graph, const Links& links, TensorId id) {
  const Node* node = written_by<format::TransposeT>(graph, links, id);
  const int rank = graph.tensor(id).shape.rank;
  if (node == nullptr || rank < 2) return kAbsent;
  const bool swaps = node->as<format::TransposeT>().permutation == last_two_swapped(rank);
  return swaps ? node->inputs[0] : kAbsent;
}

bool swap_one(Graph& graph) {
  const Links links = link(graph);
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    if (!is_kind<format::MatMulT>(graph.nodes[index])) continue;
    Node& product = graph.nodes[index];
    const TensorId a = untransposed(graph, links, product.inputs[0]);
    const TensorId b = untransposed(graph, links, product.inputs[1]);
    const int rank = graph.tensor(product.output).shape.rank;
    if (a == kAbsent || b == kAbsent || rank < 2) continue;
    const TensorId output = product.output;
    const Permutation swapped = last_two_swapped(rank);
    GraphTensor result = permuted(graph.tensor(output), swapped);
    graph.tensors.push_back(std::move(result));
    product.inputs = {b, a};
    product.output = static_cast<TensorId>(graph.tensors.size()) - 1;
    Node after;
    after.name = product.name + ".transposed";
    after.options = make_options(format::TransposeT{{}, swapped});
    after.inputs = {product.output};
    after.output = output;
    // The activation stays with the product: it works number by number.
    graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index) + 1,
                       std::move(after));
    return true;
  }
  return false;
}

}  // namespace

PassResult swap_products(Graph& graph) {
  PassResult result;
  while (swap_one(graph)) ++result.changes;
  sweep(graph);
  result.sentence =
      "swapped the operands of " + counted(result.changes, "MatMul") + " of transposed matrices";
  return result;
}

}  // namespace figment::converter
