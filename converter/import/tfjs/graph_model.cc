// The walk over a TensorFlow graph: nodes become the runtime's operators, from the outputs back.
#include "converter/import/tfjs/graph_model.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "converter/import/add_outputs.h"
#include "converter/import/layers/layer_node.h"
#include "converter/import/open_inputs.h"
#include "converter/import/tfjs/graph_node.h"

namespace figment::converter {

using Json = nlohmann::json;

namespace {

// What a node reads: "conv", or "split:1". Those that only must run before ("^init") are left out.
struct Source {
  std::string node;
  std::size_t output = 0;
};

Source parse_source(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size() || colon + 4 < text.size() ||
      !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(),
                   [](char letter) { return letter >= '0' && letter <= '9'; }))
    return {text, 0};
  return {text.substr(0, colon), std::stoul(text.substr(colon + 1))};
}

// "output_2" before "output_10".
bool in_order(const std::string& left, const std::string& right) {
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

class GraphModel {
 public:
  GraphModel(const Json& model, const TfjsWeights& weights, const ImportOptions& options);
  Graph import();

 private:
  struct GraphEntry {
    std::string name, kind;
    const Json* json = nullptr;
    std::vector<Source> inputs;
    bool is_input() const { return kind == "Placeholder"; }
  };

  void read_nodes(const Json& nodes);
  void read_ports();
  const GraphEntry& entry(const std::string& name) const;
  void compute(const std::string& wanted);
  std::vector<TensorId> import_node(const GraphEntry& entry);
  std::vector<std::int64_t> declared_shape(const GraphEntry& entry) const;
  TensorId add_input(const std::string& port, const GraphEntry& entry,
                     std::vector<std::int64_t> extents);
  void add_inputs(const std::vector<Source>& wanted);
  void cut_at(const std::string& from);

  const Json& model_;
  const TfjsWeights& weights_;
  const ImportOptions& options_;
  Graph graph_;
  std::vector<GraphEntry> entries_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::string, std::string> input_names_;  // of placeholders, where the signature has them
  std::vector<std::pair<std::string, Source>> outputs_;
  std::map<std::string, std::vector<TensorId>> values_;
  unsigned seeds_ = 0;
};

GraphModel::GraphModel(const Json& model, const TfjsWeights& weights, const ImportOptions& options)
    : model_(model), weights_(weights), options_(options) {
  const Json& nodes = model.at("modelTopology").at("node");
  if (!nodes.is_array()) throw DamagedFile("the graph has no nodes; model.json is damaged");
  read_nodes(nodes);
  read_ports();
}

void GraphModel::read_nodes(const Json& nodes) {
  for (const Json& node : nodes) {
    GraphEntry added;
    added.json = &node;
    if (!node.is_object() || !node.contains("name") || !node.contains("op") ||
        !node.at("name").is_string() || !node.at("op").is_string())
      throw DamagedFile("a node of the graph has no name or operator; model.json is damaged");
    added.name = node.at("name").get<std::string>();
    added.kind = node.at("op").get<std::string>();
    if (const auto inputs = node.find("input"); inputs != node.end() && inputs->is_array())
      for (const Json& input : *inputs)
        if (const std::string text = input.is_string() ? input.get<std::string>() : "";
            !text.starts_with("^"))
          added.inputs.push_back(parse_source(text));
    if (!by_name_.emplace(added.name, entries_.size()).second)
      throw DamagedFile("two nodes are named '" + added.name + "'; model.json is damaged");
    entries_.push_back(std::move(added));
  }
}

// Names of inputs and outputs: the signature's, or the nodes' own where there is none.
void GraphModel::read_ports() {
  const Json* signature = nullptr;
  if (const auto found = model_.find("signature"); found != model_.end()) signature = &*found;
  if (const auto data = model_.find("userDefinedMetadata");
      signature == nullptr && data != model_.end() && data->contains("signature"))
    signature = &data->at("signature");
  const auto ports = [&](const char* kind) {
    std::vector<std::pair<std::string, std::string>> result;  // port, tensor
    if (signature == nullptr || !signature->is_object() || !signature->contains(kind) ||
        !signature->at(kind).is_object())
      return result;
    for (const auto& [name, port] : signature->at(kind).items())
      if (port.is_object() && port.contains("name") && port.at("name").is_string())
        result.emplace_back(name, port.at("name").get<std::string>());
    std::ranges::sort(result, [](const auto& left, const auto& right) {
      return in_order(left.first, right.first);
    });
    return result;
  };
  for (const auto& [name, tensor] : ports("inputs"))
    input_names_.emplace(parse_source(tensor).node, name);
  for (const auto& [name, tensor] : ports("outputs"))
    if (by_name_.contains(parse_source(tensor).node))
      outputs_.emplace_back(name, parse_source(tensor));
  if (!outputs_.empty()) return;
  // Nodes that nobody reads.
  std::set<std::string> read;
  for (const GraphEntry& each : entries_)
    for (const Source& source : each.inputs) read.insert(source.node);
  for (const GraphEntry& each : entries_)
    if (!read.contains(each.name) && each.kind != "Const" && !each.is_input() &&
        each.kind != "NoOp")
      outputs_.emplace_back(each.name, Source{each.name, 0});
}

const GraphModel::GraphEntry& GraphModel::entry(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end())
    throw ConvertError("the graph has no node '" + name + "'; see the names in its model.json");
  return entries_[found->second];
}

// Without recursion, for graphs may be thousands of nodes deep.
void GraphModel::compute(const std::string& wanted) {
  std::vector<std::string> stack = {wanted};
  std::set<std::string> open;
  while (!stack.empty()) {
    const std::string name = stack.back();
    if (values_.contains(name)) {
      stack.pop_back();
      continue;
    }
    const GraphEntry& each = entry(name);
    open.insert(name);
    bool ready = true;
    for (const Source& source : each.inputs) {
      if (values_.contains(source.node)) continue;
      if (open.contains(source.node))
        throw DamagedFile("node '" + name + "' (" + each.kind +
                          "): it reads its own output; the file is damaged");
      if (!by_name_.contains(source.node))
        throw DamagedFile("node '" + name + "' (" + each.kind + "): its input '" + source.node +
                          "' is no node; the file is damaged");
      stack.push_back(source.node);
      ready = false;
      break;
    }
    if (!ready) continue;
    values_[name] = import_node(each);
    open.erase(name);
    stack.pop_back();
  }
}

std::vector<TensorId> GraphModel::import_node(const GraphEntry& each) {
  const std::string place = "node '" + each.name + "' (" + each.kind + ")";
  std::vector<TensorId> inputs;
  for (const Source& source : each.inputs) {
    const std::vector<TensorId>& outputs = values_.at(source.node);
    if (source.output >= outputs.size())
      throw DamagedFile(place + ": it reads output " + std::to_string(source.output) + " of '" +
                        source.node + "', which is not there; the file is damaged");
    inputs.push_back(outputs[source.output]);
  }
  try {
    if (each.kind == "Const") return {weights_.add_to(graph_, each.name)};
    if (each.is_input()) throw ConvertError("it is an input inside the part; name it as --from");
    const GraphOperator* row = find_graph_operator(each.kind);
    if (row == nullptr)
      throw ConvertError(
          "this operator is not supported; cut the model there with --from and --to");
    GraphNode node(graph_, options_, each.name, each.kind, *each.json, std::move(inputs), ++seeds_);
    row->import(node);
    return node.outputs();
  } catch (const ConvertError& error) {
    if (std::string(error.what()).starts_with("node '")) throw;
    throw ConvertError(place + ": " + error.what());
  }
}

// ---- Inputs ----

// Of {"shape": {"shape": {"dim": [{"size": "-1"}, ...]}}}; -1 is open. Empty: unknown.
std::vector<std::int64_t> GraphModel::declared_shape(const GraphEntry& each) const {
  std::vector<std::int64_t> shape;
  const auto attributes = each.json->find("attr");
  if (attributes == each.json->end()) return shape;
  const Json dims = attributes->value(Json::json_pointer("/shape/shape/dim"), Json());
  if (!dims.is_array()) return shape;
  for (const Json& dim : dims) {
    std::int64_t extent = -1;
    if (dim.is_object() && dim.contains("size")) {
      const Json& size = dim.at("size");
      if (const auto number = whole_number(size))
        extent = *number;
      else if (size.is_string() && size.get<std::string>().size() < 10)
        extent = std::atoll(size.get<std::string>().c_str());
    }
    shape.push_back(extent < 0 ? -1 : extent);
  }
  return shape;
}

TensorId GraphModel::add_input(const std::string& port, const GraphEntry& each,
                               std::vector<std::int64_t> extents) {
  const GraphNode node(graph_, options_, each.name, each.kind, *each.json, {}, 0);
  const std::string type = each.is_input() ? node.type_attribute("dtype") : "DT_FLOAT";
  return graph_.add_input(port, is_integer_type(type) ? DataType::kInt32 : DataType::kFloat32,
                          input_shape(options_, port, std::move(extents)));
}

// Inputs in the order of their nodes; those that nothing needs are left out.
void GraphModel::add_inputs(const std::vector<Source>& wanted) {
  std::set<std::string> needed;
  std::vector<std::string> stack;
  stack.reserve(wanted.size());
  for (const Source& source : wanted) stack.push_back(source.node);
  while (!stack.empty()) {
    const std::string name = stack.back();
    stack.pop_back();
    if (values_.contains(name) || !needed.insert(name).second || !by_name_.contains(name)) continue;
    for (const Source& source : entry(name).inputs) stack.push_back(source.node);
  }
  for (const GraphEntry& each : entries_) {
    if (!each.is_input() || !needed.contains(each.name) || values_.contains(each.name)) continue;
    const auto named = input_names_.find(each.name);
    values_[each.name] = {add_input(named != input_names_.end() ? named->second : each.name, each,
                                    declared_shape(each))};
  }
}

// Makes what the node `from` gives an input; its shape is found by importing what stands before it.
void GraphModel::cut_at(const std::string& from) {
  const GraphEntry& each = entry(from);
  if (each.is_input()) return;
  std::vector<std::int64_t> extents;
  if (!options_.input_shapes.contains(from)) {
    ImportOptions before = options_;
    before.from.clear();
    before.to = from;
    const Graph part = import_tfjs_graph(model_, weights_, before);
    const Shape& shape = part.tensor(part.outputs.at(0).tensor).shape;
    extents.assign(shape.dims, shape.dims + shape.rank);
  }
  values_[from] = {add_input(from, each, std::move(extents))};
}

Graph GraphModel::import() {
  if (!options_.from.empty()) cut_at(options_.from);
  std::vector<std::pair<std::string, Source>> wanted = outputs_;
  if (!options_.to.empty()) wanted = {{options_.to, Source{entry(options_.to).name, 0}}};
  if (wanted.empty()) throw DamagedFile("the graph has no outputs; model.json is damaged");
  std::vector<Source> sources;
  sources.reserve(wanted.size());
  for (const auto& [name, source] : wanted) sources.push_back(source);
  add_inputs(sources);
  std::vector<std::pair<std::string, TensorId>> outputs;
  for (const auto& [name, source] : wanted) {
    compute(source.node);
    const std::vector<TensorId>& made = values_.at(source.node);
    if (source.output >= made.size())
      throw DamagedFile("the output '" + name + "' is not there; model.json is damaged");
    outputs.emplace_back(name, made[source.output]);
  }
  check_input_names(options_, graph_);
  check_cut(options_, graph_,
            values_.contains(options_.from) ? values_.at(options_.from) : std::vector<TensorId>{},
            outputs);
  add_outputs(graph_, outputs);
  return std::move(graph_);
}

}  // namespace

Graph import_tfjs_graph(const Json& model, const TfjsWeights& weights,
                        const ImportOptions& options) {
  return GraphModel(model, weights, options).import();
}

}  // namespace figment::converter
