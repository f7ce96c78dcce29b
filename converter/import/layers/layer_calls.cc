// What a model's description says of its layers and of who calls them.
#include "converter/import/layers/layer_calls.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "converter/graph/graph.h"
#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

using Json = nlohmann::json;

constexpr int kMostNesting = 16;  // of lists in a call

[[noreturn]] void damaged(const std::string& what) {
  throw DamagedFile("the description of the model " + what + "; the file is damaged");
}

std::size_t index_of(const Json& value) {
  const auto number = whole_number(value);
  if (!number || *number < 0 || *number > 1'000'000) damaged("has an odd number in a call");
  return static_cast<std::size_t>(*number);
}

// ["dense_1", 0, 0], perhaps followed by more.
bool is_tensor(const Json& value) {
  return value.is_array() && value.size() >= 3 && value[0].is_string() && value[1].is_number() &&
         value[2].is_number();
}

LayerTensor read_tensor(const Json& value) {
  return {value[0].get<std::string>(), index_of(value[1]), index_of(value[2])};
}

void read_arguments(const Json& value, LayerCall& into, int depth);

// Further arguments by name; those that are settings of the call, such as training, are left out.
void read_named(const Json& value, LayerCall& into, int depth) {
  if (!value.is_object()) return;
  for (const auto& [name, each] : value.items())
    if (each.is_array() || each.is_object())
      read_arguments(each, into, depth + 1);
    else if (each.is_number() && (name == "y" || name == "x2"))
      read_arguments(each, into, depth + 1);
}

std::vector<std::int64_t> read_shape(const Json& value) {
  std::vector<std::int64_t> shape;
  if (!value.is_array()) return shape;
  for (const Json& extent : value) {
    const auto number = whole_number(extent);
    shape.push_back(number && *number >= 0 ? *number : -1);
  }
  return shape;
}

void read_arguments(const Json& value, LayerCall& into, int depth) {
  if (depth > kMostNesting) damaged("nests a call's arguments too deeply");
  if (is_tensor(value)) {
    LayerArgument argument;
    argument.from = read_tensor(value);
    into.push_back(std::move(argument));
    if (value.size() > 3) read_named(value[3], into, depth);
  } else if (value.is_array()) {
    for (const Json& each : value) read_arguments(each, into, depth + 1);
  } else if (value.is_number()) {
    LayerArgument argument;
    argument.tensor = false;
    argument.number = static_cast<float>(value.get<double>());
    into.push_back(std::move(argument));
  } else if (value.is_object()) {
    // Keras 3: {"class_name": "__keras_tensor__", "config": {"keras_history": [...], "shape": ...}}
    const auto config = value.find("config");
    if (config != value.end() && config->is_object() && config->contains("keras_history") &&
        is_tensor(config->at("keras_history"))) {
      LayerArgument argument;
      argument.from = read_tensor(config->at("keras_history"));
      argument.shape = read_shape(config->value("shape", Json()));
      into.push_back(std::move(argument));
    } else if (const auto items = value.find("items"); items != value.end()) {
      read_arguments(*items, into, depth + 1);
    }
  }
}

std::vector<LayerCall> read_calls(const Json& layer) {
  std::vector<LayerCall> calls;
  const auto nodes = layer.find("inbound_nodes");
  if (nodes == layer.end() || !nodes->is_array()) return calls;
  for (const Json& node : *nodes) {
    LayerCall call;
    if (node.is_object()) {
      if (node.contains("args")) read_arguments(node.at("args"), call, 0);
      if (node.contains("kwargs")) read_named(node.at("kwargs"), call, 0);
    } else {
      read_arguments(node, call, 0);
    }
    calls.push_back(std::move(call));
  }
  return calls;
}

// A tensor alone, or lists and dictionaries of them.
void read_tensors(const Json& value, std::vector<LayerTensor>& into, int depth) {
  if (depth > kMostNesting) damaged("nests its outputs too deeply");
  if (is_tensor(value))
    into.push_back(read_tensor(value));
  else if (value.is_array() || value.is_object())
    for (const Json& each : value) read_tensors(each, into, depth + 1);
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

LayerDescription read_layer(const Json& layer) {
  if (!layer.is_object() || !layer.contains("config")) damaged("has a layer without settings");
  LayerDescription result;
  result.layer = &layer;
  result.config = &layer.at("config");
  result.place.class_name = text_of(layer, "class_name");
  if (result.config->is_object()) result.place.name = text_of(*result.config, "name");
  // What calls name is the layer's own name, not that of its config (a nested model's).
  if (const std::string name = text_of(layer, "name"); !name.empty()) result.place.name = name;
  if (result.place.class_name.empty()) damaged("has a layer without a class");
  if (!result.config->is_object() && !(result.is_model() && result.config->is_array()))
    damaged("has a layer without settings");
  return result;
}

// Each layer of a Sequential reads the one before it.
void chain(ModelDescription& model) {
  std::map<std::string, int> names;
  for (LayerDescription& layer : model.layers) {
    if (layer.place.name.empty()) layer.place.name = layer.place.class_name;
    if (const int before = names[layer.place.name]++; before > 0)
      layer.place.name += "_" + std::to_string(before);
  }
  for (std::size_t index = 0; index < model.layers.size(); ++index) {
    LayerDescription& layer = model.layers[index];
    layer.calls.clear();
    if (layer.is_input()) continue;
    LayerArgument argument;
    if (index > 0) argument.from.layer = model.layers[index - 1].place.name;
    layer.calls.push_back({std::move(argument)});
  }
  model.outputs = {{model.layers.back().place.name, 0, 0}};
  if (model.layers.front().is_input()) model.inputs = {{model.layers.front().place.name, 0, 0}};
}

// Calls of a model inside another are counted from 0 or, by some versions of Keras, from 1, since
// the model's making counted as one: the last call that is read is the last one described.
void count_calls_from_zero(ModelDescription& model) {
  std::map<std::string, std::size_t> most;
  const auto for_each = [&](const auto& use) {
    for (LayerDescription& layer : model.layers)
      for (LayerCall& call : layer.calls)
        for (LayerArgument& argument : call)
          if (argument.tensor) use(argument.from);
    for (LayerTensor& output : model.outputs) use(output);
  };
  for_each([&](const LayerTensor& tensor) {
    std::size_t& last = most[tensor.layer];
    last = std::max(last, tensor.call);
  });
  std::map<std::string, std::size_t> shifts;
  for (const LayerDescription& layer : model.layers)
    if (layer.is_model() && most[layer.place.name] == layer.calls.size())
      shifts[layer.place.name] = 1;
  for_each([&](LayerTensor& tensor) {
    if (shifts.contains(tensor.layer) && tensor.call > 0) --tensor.call;
  });
}

}  // namespace

bool is_model_class(const std::string& class_name) {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
}

bool LayerDescription::is_model() const {
  return is_model_class(place.class_name) ||
         (config->is_object() && config->contains("layers") && config->contains("output_layers"));
}

ModelDescription describe_layers(const Json& json) {
  if (!json.is_object() || !json.contains("config")) damaged("is missing");
  const Json& config = json.at("config");
  const Json* layers = &config;
  if (config.is_object()) {
    if (!config.contains("layers")) damaged("names no layers");
    layers = &config.at("layers");
  }
  if (!layers->is_array() || layers->empty()) damaged("names no layers");
  ModelDescription model;
  if (config.is_object()) model.name = text_of(config, "name");
  std::map<std::string, int> classes;
  for (const Json& layer : *layers) {
    model.layers.push_back(read_layer(layer));
    LayerPlace& place = model.layers.back().place;
    place.of_class = classes[place.class_name]++;
  }
  if (!config.is_object() || !config.contains("output_layers")) {
    chain(model);
    return model;
  }
  std::set<std::string> names;
  for (LayerDescription& layer : model.layers) {
    if (!names.insert(layer.place.name).second)
      damaged("has two layers called '" + layer.place.name + "'");
    layer.calls = read_calls(*layer.layer);
  }
  if (config.contains("input_layers")) read_tensors(config.at("input_layers"), model.inputs, 0);
  read_tensors(config.at("output_layers"), model.outputs, 0);
  if (model.outputs.empty()) damaged("names no outputs");
  count_calls_from_zero(model);
  return model;
}

std::vector<std::int64_t> declared_input_shape(const Json& config) {
  if (!config.is_object()) return {};
  for (const char* name : {"batch_input_shape", "batch_shape", "build_input_shape"})
    if (const auto found = config.find(name); found != config.end() && found->is_array())
      return read_shape(*found);
  if (const auto found = config.find("input_dim"); found != config.end()) {
    const auto number = whole_number(*found);  // Keras 1
    if (number) return {-1, *number};
  }
  return {};
}

}  // namespace figment::converter
