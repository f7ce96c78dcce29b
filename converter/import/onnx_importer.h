// The walk over an ONNX model: names become tensors, nodes become the runtime's operators.
#pragma once

#include <onnx/onnx.pb.h>

#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "converter/import/import.h"

namespace figment::converter {

// The names that the nodes of one graph, branch or function body can see.
struct OnnxScope {
  const OnnxScope* outer =
      nullptr;    // the graph around a branch; a function's body sees nothing outside
  int opset = 0;  // of the default operator set
  std::unordered_map<std::string, TensorId>
      values;  // kAbsent: an optional operand that the caller left out
  std::unordered_map<std::string, const onnx::TensorProto*> initializers;  // not read yet
  std::unordered_map<std::string, const onnx::AttributeProto*>
      attributes;                        // of the call, in a function's body
  std::unordered_set<std::string> used;  // names that some node or output reads
};

class OnnxImporter {
 public:
  // `model` must outlive the importer; `folder` is where it came from.
  OnnxImporter(const onnx::ModelProto& model, std::filesystem::path folder,
               const ImportOptions& options);

  Graph import();

  // ---- for OnnxNode ----

  Graph& graph() { return graph_; }
  NoiseHandling noise() const { return options_.noise; }
  bool for_training() const { return options_.for_training; }
  int node_count() const { return node_count_; }
  const std::filesystem::path& folder() const { return folder_; }

  // The tensor that `name` means in `scope`; null when nothing has that name (yet).
  const TensorId* find(OnnxScope& scope, const std::string& name);
  // The numbers of `proto`, which is a part of the model, as a constant.
  TensorId add_array(const onnx::TensorProto& proto, const std::string& name);
  // Input 0 with its axes in another order; a constant is turned once for all who want the same
  // order.
  TensorId transpose(const std::string& node, TensorId input, const std::vector<int>& permutation);
  // The onnx::TensorProto_DataType of a tensor whose numbers may be narrower than the graph holds
  // them; UNDEFINED where nobody noted it.
  int source_type(TensorId id) const;
  void note_source_type(TensorId id, int type) { source_types_[id] = type; }
  // A list of tensors as one value: its id is below kAbsent and is no tensor's.
  TensorId add_sequence(std::vector<TensorId> parts);
  static bool is_sequence(TensorId id) { return id < kAbsent; }
  const std::vector<TensorId>& sequence(TensorId id) const;
  // Imports a branch of If in place; its outputs in order.
  std::vector<TensorId> import_branch(const onnx::GraphProto& branch, OnnxScope& outer);

 private:
  using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

  void add_inputs(const onnx::GraphProto& graph, OnnxScope& scope);
  void add_input(const onnx::ValueInfoProto& input, OnnxScope& scope);
  void add_outputs(const onnx::GraphProto& graph, OnnxScope& scope);
  void add_initializers(const onnx::GraphProto& graph, OnnxScope& scope);
  void import_nodes(const Nodes& nodes, OnnxScope& scope);
  void import_node(const onnx::NodeProto& node, OnnxScope& scope);
  void import_call(const onnx::FunctionProto& function, const onnx::NodeProto& call,
                   OnnxScope& scope);

  const onnx::ModelProto& model_;
  std::filesystem::path folder_;
  const ImportOptions& options_;
  Graph graph_;
  std::map<std::pair<std::string, std::string>, const onnx::FunctionProto*>
      functions_;  // by domain and name
  std::map<std::pair<TensorId, std::vector<int>>, TensorId> turned_;
  std::unordered_map<const onnx::TensorProto*, TensorId> arrays_;
  std::unordered_map<TensorId, int> source_types_;
  std::vector<std::vector<TensorId>> sequences_;
  int node_count_ = 0;
  int depth_ = 0;  // of function calls and branches
};

}  // namespace figment::converter
