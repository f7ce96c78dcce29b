// Finds out which axes the batch multiplies.
#include <flatbuffers/flatbuffers.h>

#include <cstring>

#include "converter/graph/samples.h"
#include "converter/import/import.h"
#include "converter/import/repeat_constant.h"

namespace figment::converter {
namespace {

constexpr int kProbeBatch = 3;

bool same_options(const Node& left, const Node& right) {
  if (left.kind() != right.kind()) return false;
  flatbuffers::FlatBufferBuilder packed[2];
  const Node* const nodes[2] = {&left, &right};
  for (int side = 0; side < 2; ++side)
    packed[side].Finish(
        flatbuffers::Offset<flatbuffers::Table>(nodes[side]->options.Pack(packed[side]).o));
  return packed[0].GetSize() == packed[1].GetSize() &&
         std::memcmp(packed[0].GetBufferPointer(), packed[1].GetBufferPointer(),
                     packed[0].GetSize()) == 0;
}

// The axis in which the shapes differ, by the factor kProbeBatch; nothing when they differ
// otherwise, -1 when they do not.
std::optional<int> axis_between(const Shape& one, const Shape& many) {
  if (one.rank != many.rank) return std::nullopt;
  int found = -1;
  for (int axis = 0; axis < one.rank; ++axis) {
    if (one[axis] == many[axis]) continue;
    if (found >= 0 || many[axis] != one[axis] * kProbeBatch) return std::nullopt;
    found = axis;
  }
  return found;
}

// True when `many` holds the values of `one`, repeated along `axis` (-1: not at all): then the
// constant for one sample serves a batch by broadcasting.
bool repeats(const GraphTensor& one, const GraphTensor& many, int axis) {
  if (one.data->empty()) return many.data->empty();
  if (axis < 0) return *one.data == *many.data;
  std::size_t block = one.data->size();
  for (int index = 0; index < axis; ++index) block /= static_cast<std::size_t>(one.shape[index]);
  const std::byte* source = one.data->data();
  const std::byte* repeated = many.data->data();
  for (; source != one.data->data() + one.data->size(); source += block)
    for (int copy = 0; copy < kProbeBatch; ++copy, repeated += block)
      if (std::memcmp(source, repeated, block) != 0) return false;
  return true;
}

// True when the node's declared output is what the rules give at the probe batch.
bool node_holds(const Graph& graph, const Node& node) {
  try {
    const GraphTensor& output = graph.tensor(node.output);
    Shape expected = output.shape;
    if (output.batch_axis >= 0) expected[output.batch_axis] *= kProbeBatch;
    return infer(graph, node, kProbeBatch).shape == expected;
  } catch (const ConvertError&) {
    return false;
  }
}

// Compares the same file at two batches; false when they are not the same computation.
bool compare_batches(Graph& one, const Graph& many) {
  if (one.tensors.size() != many.tensors.size() || one.nodes.size() != many.nodes.size())
    return false;
  for (std::size_t index = 0; index < one.nodes.size(); ++index) {
    const Node &left = one.nodes[index], &right = many.nodes[index];
    if (!same_options(left, right) || left.inputs != right.inputs || left.output != right.output)
      return false;
  }
  std::map<TensorId, int> repeated;  // constants that are one sample's share, and along which axis
  for (std::size_t index = 0; index < one.tensors.size(); ++index) {
    GraphTensor& tensor = one.tensors[index];
    const GraphTensor& other = many.tensors[index];
    const std::optional<int> axis = axis_between(tensor.shape, other.shape);
    if (!axis || tensor.type != other.type || tensor.constant() != other.constant()) return false;
    if (tensor.constant()) {
      if (!repeats(tensor, other, *axis)) return false;
      if (*axis >= 0) repeated[static_cast<TensorId>(index)] = *axis;
    } else {
      tensor.batch_axis = *axis;
    }
  }
  // Most operators broadcast a constant over the batch; the others get it as often as there are
  // samples.
  for (std::size_t index = 0; index < one.nodes.size(); ++index) {
    if (node_holds(one, one.nodes[index])) continue;
    for (std::size_t input = 0; input < one.nodes[index].inputs.size(); ++input)
      if (const auto found = repeated.find(one.nodes[index].inputs[input]); found != repeated.end())
        repeat_constant(one, index, input, found->second);
  }
  for (const GraphPort& port : one.outputs)
    if (repeated.contains(port.tensor)) return false;
  return holds_at_batch(one, kProbeBatch);
}

bool has_batch(const Graph& graph) {
  for (const GraphPort& port : graph.inputs)
    if (graph.tensor(port.tensor).batch_axis >= 0) return true;
  return false;
}

// Compares the file with itself where its inputs' first extent of 1 is kProbeBatch: of all inputs,
// or of those that are more than a number. `graph` is the file as it stands.
void compare_enlarged(const std::filesystem::path& path, const ImportOptions& options,
                      Graph& graph) {
  for (const int least_rank : {1, 2}) {
    ImportOptions at_many = options;
    for (const GraphPort& port : graph.inputs) {
      const Shape& shape = graph.tensor(port.tensor).shape;
      if (shape.rank < least_rank || shape[0] != 1) continue;
      std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
      extents[0] = kProbeBatch;
      at_many.input_shapes[port.name] = std::move(extents);
    }
    try {
      Graph compared = graph;
      if (!compare_batches(compared, import_file(path, at_many)) || !has_batch(compared) ||
          !keeps_samples_apart(compared))
        continue;
      graph = std::move(compared);
      graph.any_batch = true;
      return;
    } catch (const ConvertError&) {
      continue;  // the batch of 1 is written into the model
    }
  }
}

}  // namespace

Graph import_with_batch(const std::filesystem::path& path, const ImportOptions& options) {
  ImportOptions at_one = options;
  at_one.batch = 1;
  Graph graph = import_file(path, at_one);
  ImportOptions at_many = options;
  at_many.batch = kProbeBatch;
  try {
    const Graph many = import_file(path, at_many);
    bool open = many.inputs.size() != graph.inputs.size();
    for (std::size_t index = 0; !open && index < graph.inputs.size(); ++index)
      open = !(graph.tensor(graph.inputs[index].tensor).shape ==
               many.tensor(many.inputs[index].tensor).shape);
    if (!open) {
      if (!follow_batch(graph)) compare_enlarged(path, at_one, graph);
      return graph;
    }
    graph.any_batch = compare_batches(graph, many) && has_batch(graph);
  } catch (const ConvertError&) {
    // The model holds at batch 1 alone.
    graph.any_batch = false;
  }
  if (!graph.any_batch)
    for (GraphTensor& tensor : graph.tensors) tensor.batch_axis = -1;
  return graph;
}

}  // namespace figment::converter
