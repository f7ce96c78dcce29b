// Shapes, types and constant values of nodes, all by the runtime's own rules: the converter has no
// second opinion about any operator.
#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/graph/samples.h"
#include "runtime/model_view.h"
#include "runtime/ops/operator.h"

namespace figment::converter {
namespace {

// Larger constants are late while a file is imported.
constexpr std::int64_t kSmallConstant = 1024;  // bytes

// The batch at which batch axes are told from other axes: no common factor with usual extents.
constexpr int kProbeBatch = 3;

// An operator's options as the runtime reads them.
class PackedOptions {
 public:
  explicit PackedOptions(const Node& node) {
    const flatbuffers::Offset<void> offset = node.options.Pack(builder_);
    builder_.Finish(flatbuffers::Offset<flatbuffers::Table>(offset.o));
  }
  const void* table() const {
    return flatbuffers::GetRoot<flatbuffers::Table>(builder_.GetBufferPointer());
  }

 private:
  flatbuffers::FlatBufferBuilder builder_{256};
};

const ops::OperatorEntry& entry_of(const Node& node) {
  const int kind = static_cast<int>(node.kind());
  if (kind <= 0 || kind >= ops::kOperatorCount || ops::kOperators[kind].room == nullptr)
    throw ConvertError("node '" + node.name + "' (" + kind_name(node) +
                       "): this build of the runtime has no such operator");
  return ops::kOperators[kind];
}

Shape scaled(const GraphTensor& tensor, int batch) {
  Shape shape = tensor.shape;
  if (tensor.batch_axis >= 0) shape[tensor.batch_axis] *= batch;
  return shape;
}

// The node's inputs as the runtime sees them at `batch`; constants come with their values.
std::vector<Tensor> operands(const Graph& graph, const Node& node, int batch) {
  std::vector<Tensor> tensors;
  for (const TensorId id : node.inputs) {
    Tensor operand;
    if (id == kAbsent) {
      operand.absent = true;
    } else {
      const GraphTensor& tensor = graph.tensor(id);
      operand.shape = scaled(tensor, batch);
      operand.type = tensor.type;
      operand.constant = tensor.constant();
      // Those that are late have no values yet; the rules do not look at them.
      if (tensor.data) operand.data = const_cast<std::byte*>(tensor.data->data());
      operand.scales = tensor.scales;
    }
    tensors.push_back(operand);
  }
  return tensors;
}

Status check(const Node& node, const std::vector<Tensor>& inputs, Tensor& result) {
  const PackedOptions options(node);
  Operation operation;
  operation.options = options.table();
  operation.inputs = inputs;
  operation.outputs = {&result, 1};
  return ops::check_operation(entry_of(node), operation, result);
}

// What the file declares for the node's output; rank -1 when it has none yet.
Tensor declaration(const Graph& graph, const Node& node, int batch) {
  Tensor declared;
  declared.shape.rank = -1;
  if (node.output != kAbsent) {
    declared.shape = scaled(graph.tensor(node.output), batch);
    declared.type = graph.tensor(node.output).type;
  }
  return declared;
}

// The axis in which two shapes differ by the factor kProbeBatch; -1 when they are the same or
// differ otherwise.
int batch_axis_between(const Shape& one, const Shape& many) {
  int found = -1;
  if (one.rank != many.rank) return -1;
  for (int axis = 0; axis < one.rank; ++axis) {
    if (one[axis] == many[axis]) continue;
    if (found >= 0 || many[axis] != one[axis] * kProbeBatch) return -1;
    found = axis;
  }
  return found;
}

// Where the batch of input 0 goes in a declared output: the first axis with the same number of
// elements before it.
int declared_batch_axis(const Graph& graph, const Node& node, const Shape& declared) {
  if (node.inputs.empty() || node.inputs[0] == kAbsent) return -1;
  const GraphTensor& input = graph.tensor(node.inputs[0]);
  if (input.batch_axis < 0) return -1;
  if (node.kind() == format::OperatorOptions::Tile) return input.batch_axis;
  const std::int64_t before = numbers_before_samples(input);
  std::int64_t product = 1;
  for (int axis = 0; axis < declared.rank; ++axis) {
    if (product == before) return axis;
    product *= declared[axis];
  }
  return -1;
}

// Computes `output` from `inputs`, all of them checked before.
void run(const Node& node, const std::vector<Tensor>& inputs, const Tensor& output) {
  const ops::OperatorRoom& room = *entry_of(node).room;
  if (room.memory == ops::Memory::kAlias || room.forward == nullptr) {
    std::memcpy(output.data, inputs[0].data, tensor_bytes(output));
    return;
  }
  const PackedOptions options(node);
  Operation operation;
  operation.options = options.table();
  operation.inputs = inputs;
  operation.outputs = {&output, 1};
  struct Release {
    void operator()(std::byte* block) const {
      ::operator delete[](block, std::align_val_t{kArenaAlignment});
    }
  };
  std::unique_ptr<std::byte[], Release> scratch;
  if (const std::size_t need = room.scratch_bytes != nullptr ? room.scratch_bytes(operation) : 0;
      need > 0)
    scratch.reset(
        static_cast<std::byte*>(::operator new[](need, std::align_val_t{kArenaAlignment})));
  operation.scratch = scratch.get();
  room.forward(operation);
}

std::int64_t bytes_of(const GraphTensor& tensor) {
  return tensor.shape.elements() * static_cast<std::int64_t>(element_bytes(tensor.type));
}

// Refuses a constant that is more than the graph may make.
void check_made(Graph& graph, const Node& node, const GraphTensor& result) {
  if (!graph.may_make(bytes_of(result)))
    throw ConvertError("node '" + node.name + "' (" + kind_name(node) +
                       "): its constant result of shape " + describe(result.shape) +
                       " would take " + std::to_string(bytes_of(result)) +
                       " bytes, with those before it far more than the file's own constants; "
                       "compute it from an input instead");
}

std::vector<std::byte> computed(const Graph& graph, const Node& node, const GraphTensor& result) {
  std::vector<std::byte> values(static_cast<std::size_t>(bytes_of(result)));
  Tensor output;
  output.data = values.data();
  output.shape = result.shape;
  output.type = result.type;
  run(node, operands(graph, node, 1), output);
  return values;
}

void set_values(GraphTensor& tensor, std::vector<std::byte> values) {
  tensor.data = std::move(values);
  tensor.late = false;
  tensor.read = nullptr;
}

void read_late(GraphTensor& tensor) {
  if (tensor.read) set_values(tensor, tensor.read());
}

void compute_node(Graph& graph, const Node& node) {
  for (const TensorId input : node.inputs)
    if (input != kAbsent) read_late(graph.tensor(input));
  GraphTensor& result = graph.tensor(node.output);
  set_values(result, computed(graph, node, result));
}

}  // namespace

GraphTensor infer(const Graph& graph, const Node& node, int batch) {
  Tensor result = declaration(graph, node, batch);
  const Status status = check(node, operands(graph, node, batch), result);
  if (!status.ok())
    throw ConvertError("node '" + node.name + "' (" + kind_name(node) +
                       "): " + std::string(status.message()));
  GraphTensor inferred;
  inferred.name = node.name;
  inferred.type = result.type;
  inferred.shape = result.shape;
  return inferred;
}

bool holds_at_batch(const Graph& graph, int batch) {
  for (const Node& node : graph.nodes) {
    Tensor result = declaration(graph, node, batch);
    const Tensor declared = result;
    if (!check(node, operands(graph, node, batch), result).ok()) return false;
    if (!(result.shape == declared.shape) || result.type != declared.type) return false;
  }
  return true;
}

std::vector<std::byte> evaluate(Graph& graph, const Node& node, const GraphTensor& result) {
  check_made(graph, node, result);
  return computed(graph, node, result);
}

TensorId Graph::add_late(std::string tensor_name, DataType type, const Shape& shape,
                         std::function<std::vector<std::byte>()> read) {
  importing = true;
  GraphTensor added;
  added.name = std::move(tensor_name);
  added.type = type;
  added.shape = shape;
  added.late = true;
  added.read = std::move(read);
  const std::int64_t bytes = bytes_of(added);
  if (bytes <= kSmallConstant) read_late(added);
  added_bytes += bytes;
  tensors.push_back(std::move(added));
  return static_cast<TensorId>(tensors.size()) - 1;
}

void Graph::compute(TensorId id) {
  read_late(tensor(id));
  if (!tensor(id).late) return;
  std::vector<bool> wanted(tensors.size(), false);
  wanted[static_cast<std::size_t>(id)] = true;
  const auto is_wanted = [&](const Node& node) {
    return wanted[static_cast<std::size_t>(node.output)] && tensor(node.output).late;
  };
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
    for (const TensorId input : node->inputs)
      if (input != kAbsent && is_wanted(*node)) wanted[static_cast<std::size_t>(input)] = true;
  for (const Node& node : nodes) {
    if (!is_wanted(node)) continue;
    if ((computed_bytes += bytes_of(tensor(node.output))) > freely_made)
      throw ConvertError("node '" + node.name + "' (" + kind_name(node) +
                         "): its constant result would have to be known while the file is read, "
                         "but takes too much room; compute it from an input instead");
    compute_node(*this, node);
  }
}

void compute_late(Graph& graph) {
  std::vector<int> readers = count_readers(graph);
  for (const Node& node : graph.nodes) {
    if (!graph.tensor(node.output).constant()) continue;
    if (graph.tensor(node.output).late) compute_node(graph, node);
    for (const TensorId input : node.inputs)
      if (input != kAbsent && --readers[static_cast<std::size_t>(input)] == 0)
        graph.tensor(input) = GraphTensor();
  }
  for (GraphTensor& tensor : graph.tensors) read_late(tensor);
  std::erase_if(graph.nodes,
                [&](const Node& node) { return graph.tensor(node.output).constant(); });
}

TensorId Graph::add_node(std::string node_name, format::OperatorOptionsUnion options,
                         std::vector<TensorId> node_inputs, std::optional<Shape> declared) {
  Node node;
  node.name = std::move(node_name);
  node.options = std::move(options);
  node.inputs = std::move(node_inputs);

  // The declaration stands as a tensor while the rule reads it; a refused node leaves none behind.
  GraphTensor result;
  if (declared) {
    GraphTensor tensor;
    tensor.name = node.name;
    tensor.shape = *declared;
    if (!node.inputs.empty() && node.inputs[0] != kAbsent)
      tensor.type = this->tensor(node.inputs[0]).type;
    if (any_batch) tensor.batch_axis = declared_batch_axis(*this, node, *declared);
    const int batch_axis = tensor.batch_axis;
    tensors.push_back(std::move(tensor));
    node.output = static_cast<TensorId>(tensors.size()) - 1;
    try {
      result = infer(*this, node, 1);
    } catch (...) {
      tensors.pop_back();
      throw;
    }
    tensors.pop_back();
    node.output = kAbsent;
    result.batch_axis = batch_axis;
  } else {
    result = infer(*this, node, 1);
    if (any_batch)
      result.batch_axis = batch_axis_between(result.shape, infer(*this, node, kProbeBatch).shape);
  }

  bool all_constant = node.kind() != format::OperatorOptions::RandomNormal && !node.inputs.empty();
  for (const TensorId input : node.inputs)
    if (input != kAbsent && !tensor(input).constant()) all_constant = false;
  if (all_constant) {
    check_made(*this, node, result);
    result.batch_axis = -1;
    const std::int64_t bytes = bytes_of(result);
    result.late = importing && (bytes > kSmallConstant || computed_bytes + bytes > freely_made);
    for (const TensorId input : node.inputs)
      if (input != kAbsent && importing && tensor(input).late) result.late = true;
    if (!result.late) {
      result.data = computed(*this, node, result);
      computed_bytes += bytes;
    }
  }
  tensors.push_back(std::move(result));
  const TensorId id = static_cast<TensorId>(tensors.size()) - 1;
  if (!all_constant || tensor(id).late) {
    node.output = id;
    nodes.push_back(std::move(node));
  }
  return id;
}

}  // namespace figment::converter
