// The walk over a model made of layers: each is imported once all that it reads is.
#include "converter/import/layers/layer_walk.h"

#include <nlohmann/json.hpp>

namespace figment::converter {

using Json = nlohmann::json;

namespace {

constexpr int kMostNesting = 16;     // models inside models
constexpr int kMostCalls = 100'000;  // of layers, where models are called again and again

}  // namespace

LayerModel::LayerModel(LayerContext& context, const Json& json, const LayerWeights& weights,
                       int depth)
    : context_(context), description_(describe_layers(json)), depth_(depth) {
  if (depth > kMostNesting)
    throw DamagedFile("the model has too many models inside one another; the file is damaged");
  for (LayerDescription& description : description_.layers) {
    by_name_[description.place.name] = layers_.size();
    Layer& layer = layers_.emplace_back();
    layer.weights = weights.layer(description.place);
    if (description.is_model())
      layer.model =
          std::make_unique<LayerModel>(context, *description.layer, *layer.weights, depth + 1);
    layer.description = std::move(description);
  }
}

void LayerModel::damaged(const Layer& layer, const std::string& why) const {
  const LayerPlace& place = layer.description.place;
  throw DamagedFile("node '" + place.name + "' (" + place.class_name + "): " + why +
                    "; the file is damaged");
}

LayerCallKey LayerModel::key_of(const LayerTensor& tensor) const {
  if (tensor.layer.empty()) return {kGiven, 0};
  const auto found = by_name_.find(tensor.layer);
  if (found == by_name_.end())
    throw DamagedFile("the model names a layer '" + tensor.layer +
                      "' that it does not have; the file is damaged");
  return {found->second, tensor.call};
}

LayerModel* LayerModel::find_with(const std::string& from, const std::string& to) {
  if ((from.empty() || by_name_.contains(from)) && (to.empty() || by_name_.contains(to)))
    return this;
  for (Layer& layer : layers_)
    if (layer.model != nullptr)
      if (LayerModel* found = layer.model->find_with(from, to)) return found;
  return nullptr;
}

// ---- The walk ----

TensorId LayerModel::value(Values& values, const LayerTensor& tensor) {
  const LayerCallKey key = key_of(tensor);
  compute(values, key);
  const std::vector<TensorId>& outputs = values.at(key);
  if (tensor.output >= outputs.size())
    throw DamagedFile("the model reads output " + std::to_string(tensor.output) + " of layer '" +
                      tensor.layer + "', which has " + std::to_string(outputs.size()) +
                      "; the file is damaged");
  return outputs[tensor.output];
}

// Without recursion, for models may be thousands of layers deep.
void LayerModel::compute(Values& values, LayerCallKey wanted) {
  std::vector<LayerCallKey> stack = {wanted};
  std::set<LayerCallKey> open;
  while (!stack.empty()) {
    const LayerCallKey key = stack.back();
    if (values.contains(key)) {
      stack.pop_back();
      continue;
    }
    if (key.layer == kGiven)
      throw DamagedFile("the model reads an input that it does not have; the file is damaged");
    Layer& layer = layers_[key.layer];
    if (key.call >= layer.description.calls.size())
      damaged(layer, "call " + std::to_string(key.call) + " of it is read but not described");
    const LayerCall& described = layer.description.calls[key.call];
    open.insert(key);
    bool ready = true;
    for (const LayerArgument& argument : described) {
      if (!argument.tensor || values.contains(key_of(argument.from))) continue;
      if (open.contains(key_of(argument.from))) damaged(layer, "it reads its own output");
      stack.push_back(key_of(argument.from));
      ready = false;
      break;  // one after another, so that what is open is a path
    }
    if (!ready) continue;
    values[key] = call(layer, described, values);
    open.erase(key);
    stack.pop_back();
  }
}

void LayerModel::load(Layer& layer) {
  if (layer.loaded) return;
  layer.loaded = true;
  const std::string& name = layer.description.place.name;
  try {
    for (LayerArray& array : layer.weights->arrays())
      layer.constants.ids.push_back(
          context_.graph.add_late_floats(name + "/" + std::to_string(layer.constants.ids.size()),
                                         make_shape(array.shape), std::move(array.values)));
  } catch (const DamagedFile& error) {
    throw DamagedFile("node '" + name + "' (" + layer.description.place.class_name +
                      "): " + error.what());
  } catch (const ConvertError& error) {
    throw ConvertError("node '" + name + "' (" + layer.description.place.class_name +
                       "): " + error.what());
  }
}

std::vector<TensorId> LayerModel::call(Layer& layer, const LayerCall& described, Values& values) {
  const LayerPlace& place = layer.description.place;
  if (++context_.calls > kMostCalls)
    throw ConvertError("the model calls layers more than " + std::to_string(kMostCalls) +
                       " times; export its generating part alone");
  std::vector<TensorId> inputs;
  for (const LayerArgument& argument : described) {
    if (!argument.tensor) {
      inputs.push_back(
          context_.graph.add_floats(place.name + "/constant", Shape{}, {argument.number}));
      continue;
    }
    const std::vector<TensorId>& outputs = values.at(key_of(argument.from));
    if (argument.from.output >= outputs.size())
      damaged(layer, "it reads an output of '" + argument.from.layer + "' that is not there");
    inputs.push_back(outputs[argument.from.output]);
  }
  if (layer.model != nullptr) return layer.model->run(inputs);
  if (layer.description.is_input()) {
    if (inputs.size() != 1) damaged(layer, "an input inside a model must be given once");
    return inputs;
  }
  load(layer);
  LayerNode node(context_, place.name, place.class_name, *layer.description.config, layer.constants,
                 std::move(inputs));
  std::vector<TensorId> outputs = node.import();
  if (outputs.empty()) damaged(layer, "it gives nothing");
  return outputs;
}

// A model inside another, called with these tensors.
std::vector<TensorId> LayerModel::run(const std::vector<TensorId>& inputs) {
  Values values;
  if (description_.inputs.empty()) {
    if (inputs.size() != 1)
      throw DamagedFile("the model '" + description_.name + "' must have one input");
    values[{kGiven, 0}] = inputs;
  } else {
    if (inputs.size() != description_.inputs.size())
      throw DamagedFile("the model '" + description_.name + "' is called with " +
                        std::to_string(inputs.size()) + " inputs, but has " +
                        std::to_string(description_.inputs.size()) + "; the file is damaged");
    for (std::size_t index = 0; index < inputs.size(); ++index)
      values[key_of(description_.inputs[index])] = {inputs[index]};
  }
  std::vector<TensorId> outputs;
  for (const LayerTensor& output : description_.outputs) outputs.push_back(value(values, output));
  return outputs;
}

}  // namespace figment::converter
