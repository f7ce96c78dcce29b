// One node of a TensorFlow graph: its inputs and attributes.
#include "converter/import/tfjs/graph_node.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "converter/import/base64.h"
#include "converter/import/layers/layer_node.h"

namespace figment::converter {

using Json = nlohmann::json;

GraphNode::GraphNode(Graph& graph, const ImportOptions& options, const std::string& name,
                     const std::string& kind, const Json& node, std::vector<TensorId> inputs,
                     unsigned seed)
    : NodeBuilder(graph, name, kind),
      options_(options),
      node_(node),
      inputs_(std::move(inputs)),
      seed_(seed) {}

TensorId GraphNode::input(std::size_t index) const {
  if (index >= inputs_.size())
    refuse("its input " + std::to_string(index) + " is missing; the file is damaged");
  return inputs_[index];
}

std::vector<std::int64_t> GraphNode::integers(std::size_t index, const std::string& what) const {
  const TensorId id = input(index);
  if (!constant(id) || type(id) != DataType::kInt32)
    refuse("its " + what + " is computed from the model's input, but must be known");
  const GraphTensor& found = known(id);
  return {found.integers(), found.integers() + found.shape.elements()};
}

std::int64_t GraphNode::integer_input(std::size_t index, const std::string& what) const {
  const std::vector<std::int64_t> values = integers(index, what);
  if (values.size() != 1) refuse("its " + what + " must be one number; the file is damaged");
  return values[0];
}

// ---- Attributes: {"T": {"type": "DT_FLOAT"}, "padding": {"s": "U0FNRQ=="}, "k": {"i": "2"}} ----

const Json* GraphNode::attribute(const char* name, const char* kind) const {
  const auto all = node_.find("attr");
  if (all == node_.end() || !all->is_object()) return nullptr;
  const auto found = all->find(name);
  if (found == all->end() || !found->is_object()) return nullptr;
  const auto value = found->find(kind);
  return value == found->end() || value->is_null() ? nullptr : &*value;
}

void GraphNode::refuse_attribute(const char* name) const {
  refuse("its attribute '" + std::string(name) + "' is unreadable; the file is damaged");
}

bool GraphNode::flag(const char* name, bool otherwise) const {
  const Json* value = attribute(name, "b");
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse_attribute(name);
  return value->get<bool>();
}

namespace {

// Protobuf's JSON has 64-bit integers as texts.
std::optional<std::int64_t> read_integer(const Json& value) {
  if (!value.is_string()) return whole_number(value);
  const auto text = value.get<std::string>();
  std::int64_t number = 0;
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  if (at == text.size() || text.size() > 18) return std::nullopt;
  for (; at < text.size(); ++at) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
    number = number * 10 + (text[at] - '0');
  }
  return text[0] == '-' ? -number : number;
}

}  // namespace

std::int64_t GraphNode::integer_attribute(const char* name, std::int64_t otherwise) const {
  const Json* value = attribute(name, "i");
  if (value == nullptr) return otherwise;
  const auto number = read_integer(*value);
  if (!number) refuse_attribute(name);
  return *number;
}

float GraphNode::number_attribute(const char* name, float otherwise) const {
  const Json* value = attribute(name, "f");
  if (value == nullptr) return otherwise;
  if (!value->is_number()) refuse_attribute(name);
  return static_cast<float>(value->get<double>());
}

std::string GraphNode::text_attribute(const char* name, const std::string& otherwise) const {
  const Json* value = attribute(name, "s");
  if (value == nullptr) return otherwise;
  if (!value->is_string()) refuse_attribute(name);
  return decode_base64(value->get<std::string>());
}

std::vector<std::int64_t> GraphNode::integer_list(const char* name) const {
  std::vector<std::int64_t> result;
  const Json* list = attribute(name, "list");
  if (list == nullptr || !list->is_object() || !list->contains("i")) return result;
  if (!list->at("i").is_array()) refuse_attribute(name);
  for (const Json& each : list->at("i")) {
    const auto number = read_integer(each);
    if (!number) refuse_attribute(name);
    result.push_back(*number);
  }
  return result;
}

std::vector<std::string> GraphNode::text_list(const char* name) const {
  std::vector<std::string> result;
  const Json* list = attribute(name, "list");
  if (list == nullptr || !list->is_object() || !list->contains("s")) return result;
  if (!list->at("s").is_array()) refuse_attribute(name);
  for (const Json& each : list->at("s")) {
    if (!each.is_string()) refuse_attribute(name);
    result.push_back(decode_base64(each.get<std::string>()));
  }
  return result;
}

std::string GraphNode::type_attribute(const char* name) const {
  const Json* value = attribute(name, "type");
  if (value == nullptr) return "DT_FLOAT";
  if (value->is_string()) return value->get<std::string>();
  // Older files number them.
  const auto number = whole_number(*value);
  if (!number) refuse_attribute(name);
  return *number == 1 ? "DT_FLOAT" : *number == 3 ? "DT_INT32" : *number == 10 ? "DT_BOOL" : "?";
}

bool is_integer_type(const std::string& type) {
  return type.starts_with("DT_INT") || type.starts_with("DT_UINT") || type == "DT_BOOL";
}

const GraphOperator* find_graph_operator(const std::string& name) {
  for (const std::span<const GraphOperator> family :
       {kGraphConvolution, kGraphMath, kGraphMatrix, kGraphReduction, kGraphSelection, kGraphShape})
    for (const GraphOperator& row : family)
      if (name == row.name) return &row;
  return nullptr;
}

}  // namespace figment::converter
