// Writes a Graph as the bytes of an .fgm file: constants once each and aligned to 64 bytes, then
// the graph, then the hash of all of it in place.
#include "converter/emit/flatbuffer.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "converter/graph/samples.h"
#include "runtime/format/sha256.h"
#include "runtime/model_view.h"

namespace figment::converter {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr std::size_t kDataAlignment = 64;
// FlatBuffers count with 32 signed bits; what is left is for the graph itself.
constexpr std::size_t kMostDataBytes = 0x7fffffff - (std::size_t{1} << 24);

// All zeros or all ones, as training finds them: what is equal by chance must not become one thing
// that learns.
bool is_uniform(const GraphTensor& tensor) {
  const std::vector<std::byte>& bytes = *tensor.data;
  const std::size_t width = element_bytes(tensor.type);
  return bytes.size() > width &&
         std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(width), bytes.end(), bytes.begin());
}

// For each tensor of `graph`, the first tensor that is the same constant, or itself.
std::vector<TensorId> find_same_constants(const Graph& graph) {
  std::vector<TensorId> same(graph.tensors.size());
  std::multimap<std::size_t, TensorId> by_hash;
  for (TensorId id = 0; id < static_cast<TensorId>(graph.tensors.size()); ++id) {
    same[static_cast<std::size_t>(id)] = id;
    const GraphTensor& tensor = graph.tensor(id);
    if (!tensor.constant() || is_uniform(tensor)) continue;
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.data->data()),
                                 tensor.data->size());
    const std::size_t hash = std::hash<std::string_view>{}(bytes);
    bool found = false;
    for (auto [at, last] = by_hash.equal_range(hash); at != last && !found; ++at) {
      const GraphTensor& other = graph.tensor(at->second);
      found = other.type == tensor.type && other.shape == tensor.shape &&
              other.scales == tensor.scales && *other.data == *tensor.data;
      if (found) same[static_cast<std::size_t>(id)] = at->second;
    }
    if (!found) by_hash.emplace(hash, id);
  }
  return same;
}

// The tensors as written, and where each graph tensor stands among them (-1: left out).
struct TensorTable {
  std::vector<int> index;
  std::vector<Offset<format::Tensor>> offsets;

  int at(TensorId id) const { return id == kAbsent ? -1 : index[static_cast<std::size_t>(id)]; }
};

// The order of tensors in the file: the model's inputs, constants, then what operators write, in
// the order in which they run, as the format demands. Tensors that nobody reads, writes or
// gives out are left out.
std::vector<TensorId> order_of_tensors(const Graph& graph) {
  std::vector<TensorId> order;
  for (const GraphPort& port : graph.inputs) order.push_back(port.tensor);
  std::vector<bool> listed(graph.tensors.size(), false);
  const auto list_constant = [&](TensorId id) {
    if (id == kAbsent || !graph.tensor(id).constant() || listed[static_cast<std::size_t>(id)])
      return;
    listed[static_cast<std::size_t>(id)] = true;
    order.push_back(id);
  };
  for (const Node& node : graph.nodes)
    for (const TensorId id : node.inputs) list_constant(id);
  for (const GraphPort& port : graph.outputs) list_constant(port.tensor);
  for (const Node& node : graph.nodes) order.push_back(node.output);
  return order;
}

TensorTable write_tensors(FlatBufferBuilder& builder, const Graph& graph, bool parts_constants) {
  std::vector<TensorId> same(graph.tensors.size());
  std::iota(same.begin(), same.end(), 0);
  if (!parts_constants) same = find_same_constants(graph);
  TensorTable table;
  table.index.assign(graph.tensors.size(), -1);
  std::size_t data_bytes = 0;
  for (const TensorId id : order_of_tensors(graph)) {
    int& stored = table.index[static_cast<std::size_t>(same[static_cast<std::size_t>(id)])];
    int& index = table.index[static_cast<std::size_t>(id)];
    if (stored != -1) {
      index = stored;
      continue;
    }
    const GraphTensor& tensor = graph.tensor(id);
    Offset<flatbuffers::Vector<std::uint8_t>> data;
    Offset<flatbuffers::Vector<float>> scales;
    if (!tensor.scales.empty()) scales = builder.CreateVector(tensor.scales);
    if (tensor.constant()) {
      data_bytes += tensor.data->size() + kDataAlignment;
      if (data_bytes > kMostDataBytes)
        throw ConvertError(
            "The weights take more than 2 GB, the most that one file can hold; use a smaller model "
            "or --weights int8 or int4.");
      builder.ForceVectorAlignment(tensor.data->size(), sizeof(std::uint8_t), kDataAlignment);
      data = builder.CreateVector(reinterpret_cast<const std::uint8_t*>(tensor.data->data()),
                                  tensor.data->size());
    }
    const auto name = builder.CreateString(tensor.name);
    const auto shape =
        builder.CreateVector(tensor.shape.dims, static_cast<std::size_t>(tensor.shape.rank));
    stored = index = static_cast<int>(table.offsets.size());
    table.offsets.push_back(
        format::CreateTensor(builder, name, static_cast<format::DataType>(tensor.type), shape,
                             static_cast<std::int8_t>(tensor.batch_axis), data, scales));
  }
  return table;
}

Offset<format::Operator> write_operator(FlatBufferBuilder& builder, const Node& node,
                                        const TensorTable& table) {
  const auto options = node.options.Pack(builder);
  const auto name = builder.CreateString(node.name);
  std::vector<std::int32_t> inputs;
  for (TensorId id : node.inputs) inputs.push_back(table.at(id));
  // Absent operands at the end need no mention.
  while (!inputs.empty() && inputs.back() == -1) inputs.pop_back();
  const auto input_offset = builder.CreateVector(inputs);
  const auto output_offset = builder.CreateVector(std::vector<std::int32_t>{table.at(node.output)});
  Offset<format::Unary> activation;
  if (node.activation) activation = format::CreateUnary(builder, &*node.activation);
  Offset<flatbuffers::String> lowering;
  if (!node.lowering.empty()) lowering = builder.CreateString(node.lowering);
  return format::CreateOperator(builder, node.kind(), options, name, input_offset, output_offset,
                                activation, lowering);
}

std::vector<Offset<format::Port>> write_ports(FlatBufferBuilder& builder,
                                              const std::vector<GraphPort>& ports,
                                              const TensorTable& table) {
  std::vector<Offset<format::Port>> offsets;
  for (const GraphPort& port : ports) {
    const auto name = builder.CreateString(port.name);
    Offset<flatbuffers::Vector<std::uint8_t>> axes;
    if (!port.source_axes.empty()) axes = builder.CreateVector(port.source_axes);
    offsets.push_back(format::CreatePort(builder, name, table.at(port.tensor), axes));
  }
  return offsets;
}

format::Hash make_hash(std::span<const std::uint8_t> bytes) {
  format::Hash hash;
  if (bytes.size() == sizeof hash) std::memcpy(&hash, bytes.data(), sizeof hash);
  return hash;
}

Offset<format::Provenance> write_provenance(FlatBufferBuilder& builder, const ModelFacts& facts) {
  const auto source_name = builder.CreateString(facts.source_name);
  const auto version = builder.CreateString(std::string(kVersion));
  const auto licence = builder.CreateString(facts.licence);
  const format::Hash source_hash = make_hash(facts.source_hash);
  return format::CreateProvenance(
      builder, source_name, facts.source_hash.empty() ? nullptr : &source_hash, version, licence);
}

// The lowest that says enough, for older runtimes.
std::uint32_t lowest_version(const Graph& graph) {
  std::uint32_t version = format::ModelT().version;
  for (const GraphTensor& tensor : graph.tensors) {
    if (!tensor.scales.empty()) version = std::max(version, kScalesVersion);
    if (tensor.type == DataType::kInt4) version = std::max(version, kInt4Version);
    if (tensor.type == DataType::kInt8 && !tensor.constant())
      version = std::max(version, kInt8Version);
  }
  return version;
}

}  // namespace

std::vector<std::byte> emit(const Graph& graph, const ModelFacts& facts) {
  FlatBufferBuilder builder(1 << 20);
  const TensorTable table = write_tensors(builder, graph, facts.parts_constants);

  std::vector<Offset<format::Operator>> operators;
  for (const Node& node : graph.nodes) operators.push_back(write_operator(builder, node, table));

  const auto name = builder.CreateString(graph.name);
  const auto tensor_vector = builder.CreateVector(table.offsets);
  const auto operator_vector = builder.CreateVector(operators);
  const auto inputs = builder.CreateVector(write_ports(builder, graph.inputs, table));
  const auto outputs = builder.CreateVector(write_ports(builder, graph.outputs, table));
  Offset<format::Prior> prior;
  if (facts.prior) prior = format::CreatePrior(builder, &*facts.prior);
  const auto reading = facts.output_reading.Pack(builder);
  Offset<format::Golden> golden;
  if (facts.golden) golden = format::CreateGolden(builder, &*facts.golden);
  const auto provenance = write_provenance(builder, facts);

  const format::Hash none;  // 32 zero bytes: what the hash is taken over
  const auto root = format::CreateModel(builder, lowest_version(graph), &none, name, facts.kind,
                                        tensor_vector, operator_vector, inputs, outputs,
                                        graph.any_batch, prior, facts.output_reading.type, reading,
                                        golden, provenance, 0, widest_sample(graph));
  // The builder pads the whole to its largest alignment, so that offsets from the file's start keep
  // it.
  format::FinishModelBuffer(builder, root);

  std::vector<std::byte> bytes(builder.GetSize());
  std::memcpy(bytes.data(), builder.GetBufferPointer(), bytes.size());
  const format::Digest digest = format::content_hash(bytes);
  auto* stored = const_cast<format::Hash*>(format::GetModel(bytes.data())->content_hash());
  std::memcpy(stored, digest.data(), sizeof *stored);
  return bytes;
}

}  // namespace figment::converter
