// One node of a TensorFlow graph as its importer sees it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "converter/import/import.h"
#include "converter/import/node_builder.h"

namespace figment::converter {

class GraphNode : public NodeBuilder {
 public:
  // `node` must outlive it; `seed` is for random numbers.
  GraphNode(Graph& graph, const ImportOptions& options, const std::string& name,
            const std::string& kind, const nlohmann::json& node, std::vector<TensorId> inputs,
            unsigned seed);

  const ImportOptions& options() const { return options_; }
  unsigned seed() const { return seed_; }

  // ---- Inputs and outputs ----

  std::size_t input_count() const { return inputs_.size(); }
  TensorId input(std::size_t index) const;
  std::span<const TensorId> inputs() const { return inputs_; }
  // The whole numbers of an input that is constant.
  std::vector<std::int64_t> integers(std::size_t index, const std::string& what) const;
  std::int64_t integer_input(std::size_t index, const std::string& what) const;
  void set_output(TensorId id) { outputs_ = {id}; }
  void set_outputs(std::vector<TensorId> ids) { outputs_ = std::move(ids); }
  const std::vector<TensorId>& outputs() const { return outputs_; }

  // ---- Attributes ----

  bool flag(const char* name, bool otherwise) const;
  std::int64_t integer_attribute(const char* name, std::int64_t otherwise) const;
  float number_attribute(const char* name, float otherwise) const;
  std::string text_attribute(const char* name, const std::string& otherwise) const;
  std::vector<std::int64_t> integer_list(const char* name) const;
  std::vector<std::string> text_list(const char* name) const;
  // Of an attribute that names a type: "DT_FLOAT".
  std::string type_attribute(const char* name) const;

 private:
  const nlohmann::json* attribute(const char* name, const char* kind) const;
  [[noreturn]] void refuse_attribute(const char* name) const;

  const ImportOptions& options_;
  const nlohmann::json& node_;
  std::vector<TensorId> inputs_, outputs_;
  unsigned seed_;
};

struct GraphOperator {
  const char* name;
  void (*import)(GraphNode&);
};

// nullptr when there is none.
const GraphOperator* find_graph_operator(const std::string& name);

// One family of operators a file.
extern const std::span<const GraphOperator> kGraphConvolution, kGraphMath, kGraphMatrix,
    kGraphReduction, kGraphSelection, kGraphShape;

// Whether the graph has integers where TensorFlow has this type.
bool is_integer_type(const std::string& type);

// The function that a fused operator ends with ("Relu"); kAbsent when there is no such function.
TensorId apply_graph_function(GraphNode& node, const std::string& name, TensorId x);

}  // namespace figment::converter
