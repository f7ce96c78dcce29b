// One ONNX node as its importer sees it: operands, attributes, and the operators it becomes.
#pragma once

#include <onnx/onnx.pb.h>

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/node_builder.h"
#include "converter/import/onnx_data.h"
#include "converter/import/onnx_importer.h"

namespace figment::converter {

class OnnxNode : public NodeBuilder {
 public:
  OnnxNode(OnnxImporter& importer, OnnxScope& scope, const onnx::NodeProto& proto);

  // The version of the operator set.
  int opset() const { return scope_.opset; }
  // How many nodes came before.
  int position() const { return importer_.node_count(); }
  NoiseHandling noise() const { return importer_.noise(); }
  bool for_training() const { return importer_.for_training(); }

  // ---- Operands ----

  int input_count() const { return proto_.input_size(); }
  bool has_input(int index) const;
  // Throws when the operand is absent.
  TensorId input(int index) const;
  // A tensor, a sequence, or kAbsent.
  TensorId value(int index) const;
  // The tensors of an operand that is a sequence; throws when it is none.
  const std::vector<TensorId>& sequence(int index) const;
  // kAbsent when it is.
  TensorId optional_input(int index) const { return has_input(index) ? input(index) : kAbsent; }
  // The onnx::TensorProto_DataType that the source gives an operand.
  int source_type(TensorId id) const { return importer_.source_type(id); }
  // The numbers of an operand that must be known now, `what` it is for the sentence.
  std::vector<std::int64_t> integers(TensorId id, const std::string& what) const;
  std::vector<float> floats(TensorId id, const std::string& what) const;
  float number(TensorId id, const std::string& what) const;
  std::int64_t integer_operand(TensorId id, const std::string& what) const;

  // ---- Attributes: each throws when the attribute has another type ----

  bool has(const std::string& name) const { return find(name) != nullptr; }
  using NodeBuilder::integer;
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  // Attributes that say yes or no.
  bool flag(const std::string& name, bool otherwise) const {
    return integer(name, otherwise ? 1 : 0) != 0;
  }
  float number_attribute(const std::string& name, float otherwise) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::optional<std::vector<std::int64_t>> integer_list(const std::string& name) const;
  std::optional<std::vector<float>> number_list(const std::string& name) const;
  std::vector<std::string> text_list(const std::string& name) const;  // empty: absent
  std::optional<OnnxArray> array(const std::string& name) const;
  std::optional<TensorId> constant_array(const std::string& name) const;  // as a constant
  const onnx::GraphProto& branch(const std::string& name) const;
  // Marks an attribute as one that changes nothing here.
  void ignore(const std::string& name) const { find(name); }
  // Throws when the node has an attribute that nobody asked for: it might change the result.
  void refuse_unread_attributes() const;

  // ---- Results ----

  int output_count() const { return proto_.output_size(); }
  // True when the output has a name and somebody reads it.
  bool output_used(int index) const;
  // Throws when any output but the first is read.
  void only_first_output() const;
  void set_output(int index, TensorId id);
  // Notes the type that the source gives a result, where the graph holds a wider one.
  void note_source_type(TensorId id, int type) { importer_.note_source_type(id, type); }
  void set_sequence(int index, std::vector<TensorId> parts) {
    set_output(index, importer_.add_sequence(std::move(parts)));
  }
  const std::string& output_name(int index) const { return proto_.output(index); }

  // ---- Operators ----

  // The same tensor when nothing moves; a constant is turned once for all who want the same order.
  TensorId transpose(TensorId x, const std::vector<int>& permutation) override;
  TensorId add_array(OnnxArray array);

  // For If.
  std::vector<TensorId> import_branch(const onnx::GraphProto& graph) {
    return importer_.import_branch(graph, scope_);
  }

 private:
  const onnx::AttributeProto* find(const std::string& name) const;
  const onnx::AttributeProto* find(const std::string& name,
                                   onnx::AttributeProto::AttributeType type,
                                   const char* type_name) const;

  OnnxImporter& importer_;
  OnnxScope& scope_;
  const onnx::NodeProto& proto_;
  std::size_t first_own_tensor_;  // tensors from here on were made by this node
  mutable std::set<std::string> asked_;
};

// How one ONNX operator is imported.
struct OnnxOperator {
  const char* name;
  void (*import)(OnnxNode& node);
};

// The rows of all families (onnx_*.cc); null when no family has the operator.
const OnnxOperator* find_onnx_operator(const std::string& name);

}  // namespace figment::converter
