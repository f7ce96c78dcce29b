// A network's inputs and outputs, and the part of it that was asked for.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "converter/import/torch/network.h"
#include "converter/import/torch/network_importer.h"
#include "converter/import/torch/ports.h"

namespace figment::converter {
namespace {

using Json = NetworkImporter::Json;
using Kind = TorchValue::Kind;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

void NetworkImporter::add_input(const Json& input, Scope& scope) {
  const std::string name = input.is_object() ? text_at(input, "name") : "";
  if (name.empty() || !input.contains("shape") || !input["shape"].is_array())
    throw ConvertError(
        "each of the network's inputs must have a \"name\" and a \"shape\", for example "
        "{\"name\": \"z\", \"shape\": [\"N\", 100]}");
  const std::string where = "the network's input '" + name + "'";
  for (const auto& [key, value] : input.items())
    if (key != "name" && key != "shape" && key != "integers" && key != "comment")
      throw ConvertError(std::string(where).append(" has an unknown '").append(key).append("'"));
  if (scope.values.contains(name)) throw ConvertError("two inputs are named '" + name + "'");
  const Json& shape = input["shape"];
  std::vector<std::int64_t> extents;
  for (const Json& size : shape) {
    if (size.is_string())
      extents.push_back(size == "N" ? 1 : extent_of(size.get<std::string>(), where));
    else if (size.is_number_integer() && size.get<std::int64_t>() > 0)
      extents.push_back(size.get<std::int64_t>());
    else
      throw ConvertError(where + " has a size that is no positive number, \"N\" or NAME[AXIS]");
  }
  if (const auto given = options_.input_shapes.find(name); given != options_.input_shapes.end()) {
    if (given->second.size() != extents.size() ||
        std::ranges::any_of(given->second, [](std::int64_t extent) { return extent < 1; }))
      throw ConvertError(where + " has " + std::to_string(extents.size()) +
                         " axes, for which the shape given has not as many positive extents");
    extents = given->second;
  }
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] == "N" && extents[axis] == 1) extents[axis] = options_.batch;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] == "N") batch_ = extents[axis];
  const Shape full = make_shape(extents);
  if (full.elements() > std::numeric_limits<std::int32_t>::max())
    throw ConvertError(where + " has the shape " + describe(full) + ", which is too large");
  const bool integers = input.contains("integers") && input["integers"] == true;
  const TensorId id =
      graph_.add_input(name, integers ? DataType::kInt32 : DataType::kFloat32, full);
  scope.values[name] = TorchValue::of_tensor(id);
  if (scope.last.is(Kind::kNone)) scope.input = scope.last = scope.values[name];
  note(name, scope.values[name]);
}

void NetworkImporter::add_inputs(Scope& scope) {
  const auto inputs = description_.find("inputs");
  if (inputs == description_.end() || !inputs->is_array() || inputs->empty())
    throw ConvertError(
        "the network's description has no \"inputs\", a list of objects with \"name\" and "
        "\"shape\"");
  for (const Json& input : *inputs) add_input(input, scope);
  std::vector<std::string> names;
  for (const GraphPort& port : graph_.inputs) names.push_back(port.name);
  check_given_shapes(options_, names);
}

void NetworkImporter::add_outputs(const Scope& scope) {
  if (ended_) return add_torch_output(graph_, options_.to, end_);
  const auto first_of = [&](const std::string& name, TorchValue value) {
    while (value.is(Kind::kList) && !value.items.empty()) {
      const TorchValue first = value.items[0];
      value = first;
    }
    if (!value.is(Kind::kTensor))
      throw ConvertError("the network's output '" + name + "' is no tensor");
    return value.tensor;
  };
  const auto outputs = description_.find("outputs");
  if (outputs == description_.end())
    return add_torch_output(graph_, "output", first_of("output", scope.last));
  if (!outputs->is_array() || outputs->empty())
    throw ConvertError("the network's \"outputs\" are no list of names");
  for (const Json& output : *outputs) {
    const std::string name = output.is_string()   ? output.get<std::string>()
                             : output.is_object() ? text_at(output, "name")
                                                  : "";
    const std::string from = output.is_object() ? text_at(output, "from") : name;
    if (name.empty())
      throw ConvertError(
          "each of the network's outputs must be a layer's name or {\"name\": ..., \"from\": ...}");
    const TorchValue value = from.empty() ? scope.last : find(from, "outputs", scope);
    add_torch_output(graph_, name, first_of(name, value));
  }
}

void NetworkImporter::cut_from() {
  if (options_.from.empty()) return;
  const auto found = paths_.find(options_.from);
  if (found == paths_.end())
    throw ConvertError("the network has no layer '" + options_.from + "' before its end");
  cut_before(graph_, options_.from, found->second);
}

void NetworkImporter::refuse_unused() const {
  // A part of a network needs a part of the weights.
  if (!options_.from.empty() || !options_.to.empty()) return;
  std::vector<std::string> ignored;
  if (const auto list = description_.find("ignore"); list != description_.end()) {
    if (!list->is_array())
      throw ConvertError("the network's \"ignore\" is no list of weights' names");
    for (const Json& entry : *list)
      if (entry.is_string()) ignored.push_back(entry.get<std::string>());
  }
  const std::vector<std::string> unused = weights_.unused(ignored);
  if (unused.empty()) return;
  constexpr std::size_t kMost = 4;
  std::string names =
      join_quoted({unused.begin(),
                   unused.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, unused.size()))});
  if (unused.size() > kMost) names += " and " + std::to_string(unused.size() - kMost) + " more";
  throw ConvertError(weights_.file() +
                     " has tensors that the network's description does not use: " + names +
                     "; describe their layers, or name them in \"ignore\"");
}

Graph NetworkImporter::import() {
  for (const auto& [key, value] : description_.items())
    if (key != "name" && key != "comment" && key != "inputs" && key != "layers" &&
        key != "blocks" && key != "outputs" && key != "weights" && key != "key" &&
        key != "ignore" && key != "automatic")
      throw ConvertError("the network's description has an unknown \"" + key + "\"");
  graph_.name = text_at(description_, "name");
  if (const std::string prefix = text_at(description_, "weights"); !prefix.empty())
    prefix_ = prefix + ".";
  Scope scope;
  scope.prefix = prefix_;
  add_inputs(scope);
  if (!description_.contains("layers"))
    throw ConvertError("the network's description has no \"layers\"");
  import_layers(description_["layers"], scope);
  if (!options_.to.empty() && !ended_)
    throw ConvertError("the network has no layer '" + options_.to + "'");
  refuse_unused();
  add_outputs(scope);
  cut_from();
  sweep(graph_);
  return std::move(graph_);
}

}  // namespace figment::converter
