// Gives every reader of a constant vector a copy of its own, for a graph that shall learn.
//
// Exporters and emit store equal constants once: new batch normalizations share their scales of one
// and biases of zero, and would go on sharing them while they learn. Matrices that two operators
// read stay one: those were tied on purpose, as an embedding and an output layer are.
#include <set>

#include "converter/passes/edit.h"
#include "converter/passes/passes.h"

namespace figment::converter {

PassResult part_vectors(Graph& graph) {
  std::set<TensorId> taken;
  PassResult result;
  for (Node& node : graph.nodes)
    for (TensorId& id : node.inputs) {
      if (id == kAbsent) continue;
      const GraphTensor& tensor = graph.tensor(id);
      if (!tensor.constant() || tensor.type != DataType::kFloat32 || tensor.shape.rank != 1)
        continue;
      if (taken.insert(id).second) continue;
      GraphTensor copy = tensor;
      copy.name = node.name + "." + copy.name;
      graph.tensors.push_back(std::move(copy));
      id = static_cast<TensorId>(graph.tensors.size()) - 1;
      taken.insert(id);
      ++result.changes;
    }
  result.sentence = "gave " + counted(result.changes, "operator") + " a vector of its own to learn";
  return result;
}

}  // namespace figment::converter
