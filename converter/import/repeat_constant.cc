// A constant that every sample of a batch has for itself.
#include "converter/import/repeat_constant.h"

namespace figment::converter {

void repeat_constant(Graph& graph, std::size_t& index, std::size_t input, int axis) {
  const TensorId constant = graph.nodes[index].inputs[input];
  GraphTensor repeated;
  repeated.name = graph.tensor(constant).name + "/repeated";
  repeated.type = graph.tensor(constant).type;
  repeated.shape = graph.tensor(constant).shape;
  repeated.batch_axis = axis;
  graph.tensors.push_back(std::move(repeated));

  Node tile;
  tile.name = graph.nodes[index].name;
  tile.options = make_options(format::TileT{});
  tile.inputs = {constant};
  tile.output = static_cast<TensorId>(graph.tensors.size()) - 1;
  graph.nodes[index].inputs[input] = tile.output;
  graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index), std::move(tile));
  ++index;
}

}  // namespace figment::converter
