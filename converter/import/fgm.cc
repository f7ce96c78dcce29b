// The way of emit, backwards.
#include "converter/import/fgm.h"

#include <cstring>
#include <fstream>

#include "converter/golden.h"
#include "converter/import/whole_file.h"
#include "runtime/math/stored_weights.h"
#include "runtime/model_view.h"

namespace figment::converter {
namespace {

GraphTensor import_tensor(const format::Model& root, int index) {
  const format::Tensor& stored = *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  const Tensor view = tensor_view(root, index, 1);
  GraphTensor tensor;
  tensor.name = std::string(text(stored.name()));
  tensor.type = view.type;
  tensor.shape = view.shape;
  tensor.batch_axis = int{stored.batch_axis()};
  if (!view.constant) return tensor;
  if (view.type == DataType::kInt32 || view.type == DataType::kUInt8) {
    const auto* bytes = static_cast<const std::byte*>(view.data);
    tensor.data.emplace(bytes, bytes + tensor_bytes(view));
    return tensor;
  }
  tensor.type = DataType::kFloat32;
  tensor.data.emplace(static_cast<std::size_t>(view.elements()) * sizeof(float));
  math::widen_constant(view, reinterpret_cast<float*>(tensor.data->data()));
  return tensor;
}

// The operator, and its activation after it as an operator of its own.
void import_operator(const format::Operator& stored, Graph& graph) {
  Node node;
  node.name = std::string(text(stored.name()));
  node.options.type = stored.options_type();
  node.options.value =
      format::OperatorOptionsUnion::UnPack(stored.options(), node.options.type, nullptr);
  if (stored.inputs() != nullptr)
    node.inputs.assign(stored.inputs()->begin(), stored.inputs()->end());
  node.output = stored.outputs()->Get(0);
  if (stored.activation() == nullptr) {
    graph.nodes.push_back(std::move(node));
    return;
  }
  Node activation;
  activation.name = node.name;
  format::UnaryT function;
  stored.activation()->UnPackTo(&function);
  activation.options = make_options(function);
  activation.output = node.output;
  GraphTensor between = graph.tensor(node.output);
  node.output = static_cast<TensorId>(graph.tensors.size());
  activation.inputs = {node.output};
  graph.tensors.push_back(std::move(between));
  graph.nodes.push_back(std::move(node));
  graph.nodes.push_back(std::move(activation));
}

std::vector<GraphPort> import_ports(
    const flatbuffers::Vector<flatbuffers::Offset<format::Port>>& stored) {
  std::vector<GraphPort> ports;
  for (const format::Port* port : stored) {
    ports.push_back({std::string(text(port->name())), port->tensor(), {}});
    if (port->source_axes() != nullptr)
      ports.back().source_axes.assign(port->source_axes()->begin(), port->source_axes()->end());
  }
  return ports;
}

ModelFacts import_facts(const format::Model& root) {
  ModelFacts facts;
  facts.kind = root.kind();
  if (root.prior() != nullptr) {
    facts.prior.emplace();
    root.prior()->UnPackTo(&*facts.prior);
  }
  facts.output_reading.type = root.output_reading_type();
  if (root.output_reading() != nullptr)
    facts.output_reading.value = format::OutputReadingUnion::UnPack(
        root.output_reading(), facts.output_reading.type, nullptr);
  if (root.golden() != nullptr) {
    facts.golden.emplace();
    facts.golden->seed = root.golden()->seed();
  }
  if (root.provenance() != nullptr) facts.licence = std::string(text(root.provenance()->licence()));
  return facts;
}

}  // namespace

bool looks_like_fgm(const std::filesystem::path& path) {
  char head[8] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  return std::memcmp(head + 4, format::ModelIdentifier(), 4) == 0;
}

ImportedModel import_fgm(const std::filesystem::path& path) {
  const AlignedBytes file(read_whole_file(path));
  const Result<Model> model = Model::open(file.span());
  if (!model.ok()) {
    const std::string sentence =
        "'" + path.string() + "': " + std::string(model.status().message());
    if (model.status().code == ErrorCode::kBadFile) throw DamagedFile(sentence);
    throw ConvertError(sentence);
  }
  const format::Model& root = model->root();
  ImportedModel imported;
  Graph& graph = imported.graph;
  graph.name = std::string(model->name());
  graph.any_batch = model->any_batch();
  for (int i = 0; i < static_cast<int>(root.tensors()->size()); ++i)
    graph.tensors.push_back(import_tensor(root, i));
  graph.added_bytes = static_cast<std::int64_t>(model->weight_bytes());
  for (const format::Operator* node : *root.operators()) import_operator(*node, graph);
  graph.inputs = import_ports(*root.inputs());
  graph.outputs = import_ports(*root.outputs());
  sweep(graph);
  imported.facts = import_facts(root);
  return imported;
}

}  // namespace figment::converter
