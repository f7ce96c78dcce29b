// The walk over an ONNX model: names become tensors, nodes become the runtime's operators.
#include "converter/import/onnx_importer.h"

#include <google/protobuf/unknown_field_set.h>

#include <numeric>

#include "converter/import/onnx_data.h"
#include "converter/import/onnx_node.h"

namespace figment::converter {
namespace {

constexpr int kMinOpset = 1, kMaxOpset = 21;
constexpr int kMaxDepth = 64;         // of branches and function calls
constexpr int kMaxNodes = 1'000'000;  // after function calls were written out

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

// The version of the default operator set; when the list names others alone, `otherwise`: with 0 no
// node may be of the default one.
template <typename Imports>
int opset_of(const Imports& imports, const std::string& what, int otherwise) {
  std::int64_t version = otherwise;
  bool named = false;
  for (const auto& import : imports) {
    if (!is_default_domain(import.domain())) continue;
    version = import.version();
    named = true;
  }
  if (!named && !imports.empty()) return otherwise;
  if (version == 0)
    throw DamagedFile(what + " names no ONNX opset; it is cut off or damaged: export it again");
  if (version < kMinOpset || version > kMaxOpset)
    throw ConvertError(what + " uses ONNX opset " + std::to_string(version) +
                       "; export it with an opset from " + std::to_string(kMinOpset) + " to " +
                       std::to_string(kMaxOpset));
  return static_cast<int>(version);
}

// Adds every name that `nodes`, and the branches inside them, read.
template <typename Nodes>
void collect_used(const Nodes& nodes, std::unordered_set<std::string>& used, int depth = 0) {
  if (depth > kMaxDepth) return;  // refused when it is imported
  for (const onnx::NodeProto& node : nodes) {
    for (const std::string& input : node.input()) used.insert(input);
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (!attribute.has_g()) continue;
      collect_used(attribute.g().node(), used, depth + 1);
      for (const auto& output : attribute.g().output()) used.insert(output.name());
    }
  }
}

// Counts a level of nesting for as long as it lives.
class Deeper {
 public:
  explicit Deeper(int& depth) : depth_(depth) {
    if (++depth_ > kMaxDepth) {
      --depth_;
      throw ConvertError("the model nests functions or branches more than " +
                         std::to_string(kMaxDepth) + " deep; the file is damaged");
    }
  }
  ~Deeper() { --depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  int& depth_;
};

}  // namespace

OnnxImporter::OnnxImporter(const onnx::ModelProto& model, std::filesystem::path folder,
                           const ImportOptions& options)
    : model_(model), folder_(std::move(folder)), options_(options) {
  for (const onnx::FunctionProto& function : model.functions())
    functions_[{function.domain(), function.name()}] = &function;
}

Graph OnnxImporter::import() {
  const onnx::GraphProto& source = model_.graph();
  if (!model_.has_graph() || source.output_size() == 0)
    throw DamagedFile(
        "the model has no outputs; it is no ONNX model, or was cut off: export it again");
  OnnxScope scope;
  scope.opset = opset_of(model_.opset_import(), "the model", 0);
  graph_.name = source.name();
  if (source.sparse_initializer_size() > 0)
    throw ConvertError(
        "the model has sparse initializers, which are not supported; export dense ones");
  add_initializers(source, scope);
  add_inputs(source, scope);
  collect_used(source.node(), scope.used);
  for (const auto& output : source.output()) scope.used.insert(output.name());
  import_nodes(source.node(), scope);
  add_outputs(source, scope);
  sweep(graph_);
  return std::move(graph_);
}

void OnnxImporter::add_initializers(const onnx::GraphProto& graph, OnnxScope& scope) {
  for (const onnx::TensorProto& initializer : graph.initializer())
    if (!scope.initializers.emplace(initializer.name(), &initializer).second)
      throw DamagedFile("two initializers are named '" + initializer.name() +
                        "'; the file is damaged");
}

const TensorId* OnnxImporter::find(OnnxScope& scope, const std::string& name) {
  if (const auto value = scope.values.find(name); value != scope.values.end())
    return &value->second;
  if (const auto initializer = scope.initializers.find(name);
      initializer != scope.initializers.end()) {
    return &(scope.values[name] = add_array(*initializer->second, name));
  }
  // A branch may read what stands around it. Only the importer writes to scopes, and it made this
  // one.
  return scope.outer != nullptr ? find(const_cast<OnnxScope&>(*scope.outer), name) : nullptr;
}

TensorId OnnxImporter::add_array(const onnx::TensorProto& proto, const std::string& name) {
  // A function's body is imported with every call.
  if (const auto found = arrays_.find(&proto); found != arrays_.end()) return found->second;
  const OnnxArray array = check_onnx_array(proto, folder_);
  const TensorId id = graph_.add_late(name, array.type, array.shape, [this, &proto] {
    return read_onnx_array(proto, folder_).bytes;
  });
  note_source_type(id, array.source_type);
  return arrays_[&proto] = id;
}

int OnnxImporter::source_type(TensorId id) const {
  const auto found = source_types_.find(id);
  return found != source_types_.end() ? found->second : onnx::TensorProto::UNDEFINED;
}

TensorId OnnxImporter::add_sequence(std::vector<TensorId> parts) {
  sequences_.push_back(std::move(parts));
  return kAbsent - static_cast<TensorId>(sequences_.size());
}

const std::vector<TensorId>& OnnxImporter::sequence(TensorId id) const {
  return sequences_.at(static_cast<std::size_t>(kAbsent - 1 - id));
}

TensorId OnnxImporter::transpose(const std::string& node, TensorId input,
                                 const std::vector<int>& permutation) {
  std::vector<int> identity(permutation.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (permutation == identity) return input;
  format::TransposeT options;
  options.permutation.assign(permutation.begin(), permutation.end());
  if (!graph_.tensor(input).constant())
    return graph_.add_node(node, make_options(std::move(options)), {input});
  const auto key = std::make_pair(input, permutation);
  if (const auto found = turned_.find(key); found != turned_.end()) return found->second;
  const TensorId turned =
      graph_.add_node(graph_.tensor(input).name, make_options(std::move(options)), {input});
  turned_[key] = turned;
  return turned;
}

// ---- Outputs ----

void OnnxImporter::add_outputs(const onnx::GraphProto& graph, OnnxScope& scope) {
  std::unordered_set<TensorId> taken;
  for (const GraphPort& port : graph_.inputs) taken.insert(port.tensor);
  std::unordered_set<std::string> names;
  for (const auto& output : graph.output()) {
    const TensorId* found = find(scope, output.name());
    if (found == nullptr || *found == kAbsent)
      throw DamagedFile("the output '" + output.name() +
                        "' is not made by any node; the file is damaged");
    if (!names.insert(output.name()).second)
      throw DamagedFile("two outputs are named '" + output.name() + "'; the file is damaged");
    TensorId id = *found;
    if (is_sequence(id))
      throw ConvertError("the output '" + output.name() +
                         "' is a sequence of tensors; export its tensors as outputs");
    // Every output is a tensor of its own: neither an input handed through nor another output.
    if (!graph_.tensor(id).constant() && !taken.insert(id).second) {
      // The larger of a number and itself, for integers too.
      format::BinaryT options;
      options.function = format::BinaryFunction::Max;
      id = graph_.add_node(output.name(), make_options(options), {id, id});
    }
    graph_.outputs.push_back({output.name(), id, {}});
  }
}

// ---- Nodes ----

void OnnxImporter::import_nodes(const Nodes& nodes, OnnxScope& scope) {
  std::unordered_set<std::string> made;
  for (const onnx::NodeProto& node : nodes)
    for (const std::string& output : node.output())
      if (!output.empty() && (!made.insert(output).second || scope.values.contains(output) ||
                              scope.initializers.contains(output)))
        throw ConvertError("node '" + node.name() + "' (" + node.op_type() + "): its output '" +
                           output + "' was made before it; the file is damaged");
  for (const onnx::NodeProto& node : nodes) {
    for (const std::string& input : node.input()) {
      if (input.empty() || find(scope, input) != nullptr) continue;
      const OnnxNode reader(*this, scope, node);
      if (made.contains(input))
        reader.refuse("its input '" + input +
                      "' is made by itself or by a later node; sort the model's nodes in the order "
                      "in which they run");
      reader.refuse("its input '" + input +
                    "' is not made by any node, nor an input or initializer; the file is damaged");
    }
    import_node(node, scope);
    if (++node_count_ > kMaxNodes)
      throw ConvertError(
          "the model has more than a million nodes; export its generating part alone");
  }
}

void OnnxImporter::import_node(const onnx::NodeProto& proto, OnnxScope& scope) {
  OnnxNode node(*this, scope, proto);
  try {
    if (const auto function = functions_.find({proto.domain(), proto.op_type()});
        function != functions_.end()) {
      import_call(*function->second, proto, scope);
      return;
    }
    if (!is_default_domain(proto.domain()))
      node.refuse("operators of the domain '" + proto.domain() +
                  "' are not supported; export the model with standard ONNX operators");
    if (scope.opset == 0)
      node.refuse("the model does not say which ONNX opset it uses; export it again");
    const OnnxOperator* row = find_onnx_operator(proto.op_type());
    if (row == nullptr)
      node.refuse(
          "this operator is not supported; express it by others, or leave it out of the exported "
          "part");
    row->import(node);
    node.refuse_unread_attributes();
    for (int index = 0; index < node.output_count(); ++index)
      if (node.output_used(index) && !scope.values.contains(proto.output(index)))
        node.refuse("its output '" + proto.output(index) + "' is used, but is not supported");
  } catch (const ConvertError& error) {
    // Sentences from the graph and the arrays do not know which ONNX node they are about.
    if (std::string(error.what()).starts_with("node '")) throw;
    node.refuse(error.what());
  }
}

std::vector<TensorId> OnnxImporter::import_branch(const onnx::GraphProto& branch,
                                                  OnnxScope& outer) {
  const Deeper deeper(depth_);
  OnnxScope scope;
  scope.outer = &outer;
  scope.opset = outer.opset;
  scope.attributes = outer.attributes;
  add_initializers(branch, scope);
  collect_used(branch.node(), scope.used);
  for (const auto& output : branch.output()) scope.used.insert(output.name());
  import_nodes(branch.node(), scope);
  std::vector<TensorId> outputs;
  for (const auto& output : branch.output()) {
    const TensorId* id = find(scope, output.name());
    if (id == nullptr || *id == kAbsent)
      throw ConvertError("the branch's output '" + output.name() +
                         "' is not made by any node; the file is damaged");
    outputs.push_back(*id);
  }
  return outputs;
}

void OnnxImporter::import_call(const onnx::FunctionProto& function, const onnx::NodeProto& call,
                               OnnxScope& outer) {
  const Deeper deeper(depth_);
  const OnnxNode caller(*this, outer, call);
  if (call.input_size() > function.input_size() || call.output_size() > function.output_size())
    caller.refuse(
        "it gives its function more inputs or outputs than that has; the file is damaged");
  OnnxScope scope;
  scope.opset =
      opset_of(function.opset_import(), "the function '" + function.name() + "'", outer.opset);
  for (int index = 0; index < function.input_size(); ++index)
    scope.values[function.input(index)] = caller.value(index);

  // Those with a default value.
  for (const onnx::AttributeProto& attribute : function.attribute_proto())
    scope.attributes[attribute.name()] = &attribute;
  for (const onnx::AttributeProto& attribute : call.attribute()) {
    const onnx::AttributeProto* given = &attribute;
    if (!attribute.ref_attr_name().empty()) {
      const auto passed_on = outer.attributes.find(attribute.ref_attr_name());
      if (passed_on == outer.attributes.end()) continue;
      given = passed_on->second;
    }
    scope.attributes[attribute.name()] = given;
  }

  collect_used(function.node(), scope.used);
  for (const std::string& output : function.output()) scope.used.insert(output);
  import_nodes(function.node(), scope);
  for (int index = 0; index < call.output_size(); ++index) {
    if (call.output(index).empty()) continue;
    const TensorId* id = find(scope, function.output(index));
    if (id == nullptr)
      caller.refuse("its function does not make its output '" + function.output(index) +
                    "'; the file is damaged");
    outer.values[call.output(index)] = *id;
  }
}

}  // namespace figment::converter
