// Models made of layers: the way from their inputs to their outputs.
#include "converter/import/layers/layer_model.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "converter/import/add_outputs.h"
#include "converter/import/layers/layer_calls.h"
#include "converter/import/open_inputs.h"

namespace figment::converter {

using Json = nlohmann::json;

namespace {

constexpr int kMostNesting = 16;     // models inside models
constexpr int kMostCalls = 100'000;  // of layers, where models are called again and again

// A call of a layer; `layer` is kGiven for the input of a Sequential that has no layer for it.
struct CallKey {
  std::size_t layer = 0, call = 0;
  auto operator<=>(const CallKey&) const = default;
};
constexpr std::size_t kGiven = static_cast<std::size_t>(-1);

}  // namespace

class LayerModel {
 public:
  LayerModel(LayerContext& context, const Json& json, const LayerWeights& weights, int depth);

  // The model, or one inside it, that has layers of these names (empty ones do not count); nullptr
  // when there is none.
  LayerModel* find_with(const std::string& from, const std::string& to);
  // Adds the model's inputs to the graph, and its outputs.
  void import_whole(const Json& json, const LayerWeights& weights);

 private:
  using Values = std::map<CallKey, std::vector<TensorId>>;

  struct Layer {
    LayerDescription description;
    std::unique_ptr<LayerWeights> weights;
    std::unique_ptr<LayerModel> model;  // of a model inside this one
    bool loaded = false;
    LayerConstants constants;
  };

  [[noreturn]] void damaged(const Layer& layer, const std::string& why) const;
  CallKey key_of(const LayerTensor& tensor) const;
  Layer& named(const std::string& name);
  std::vector<TensorId> run(const std::vector<TensorId>& inputs);
  TensorId value(Values& values, const LayerTensor& tensor);
  void compute(Values& values, CallKey wanted);
  std::vector<TensorId> call(Layer& layer, const LayerCall& call, Values& values);
  void load(Layer& layer);

  TensorId add_input(const std::string& name, std::vector<std::int64_t> extents,
                     const Json& config);
  std::vector<std::int64_t> first_shape() const;
  void add_inputs(Values& values, const std::vector<CallKey>& wanted);
  void cut_at(const std::string& from, Values& values, const Json& json,
              const LayerWeights& weights);
  std::vector<Shape> shapes_behind(const Layer& layer, const Json& json,
                                   const LayerWeights& weights) const;
  std::set<CallKey> needed(const Values& values, const std::vector<CallKey>& wanted) const;

  LayerContext& context_;
  ModelDescription description_;
  std::vector<Layer> layers_;
  std::map<std::string, std::size_t> by_name_;
  int depth_;
};

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

CallKey LayerModel::key_of(const LayerTensor& tensor) const {
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
  const CallKey key = key_of(tensor);
  compute(values, key);
  const std::vector<TensorId>& outputs = values.at(key);
  if (tensor.output >= outputs.size())
    throw DamagedFile("the model reads output " + std::to_string(tensor.output) + " of layer '" +
                      tensor.layer + "', which has " + std::to_string(outputs.size()) +
                      "; the file is damaged");
  return outputs[tensor.output];
}

// Without recursion, for models may be thousands of layers deep.
void LayerModel::compute(Values& values, CallKey wanted) {
  std::vector<CallKey> stack = {wanted};
  std::set<CallKey> open;
  while (!stack.empty()) {
    const CallKey key = stack.back();
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
          context_.graph.add_floats(name + "/" + std::to_string(layer.constants.ids.size()),
                                    make_shape(array.shape), array.values));
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

// ---- Inputs ----

TensorId LayerModel::add_input(const std::string& name, std::vector<std::int64_t> extents,
                               const Json& config) {
  std::string type = "float32";
  if (config.is_object())
    if (const auto found = config.find("dtype"); found != config.end() && found->is_string())
      type = found->get<std::string>();
  const bool integers = type.starts_with("int") || type.starts_with("uint") || type == "bool";
  return context_.graph.add_input(name, integers ? DataType::kInt32 : DataType::kFloat32,
                                  input_shape(context_.options, name, std::move(extents)));
}

// Of a Sequential without a layer for its input: what its first layer says.
std::vector<std::int64_t> LayerModel::first_shape() const {
  const Layer& first = layers_.front();
  std::vector<std::int64_t> shape = declared_input_shape(*first.description.config);
  if (shape.empty() && first.model != nullptr) shape = first.model->first_shape();
  return shape;
}

// What must be computed for `wanted`, from what `values` already has.
std::set<CallKey> LayerModel::needed(const Values& values,
                                     const std::vector<CallKey>& wanted) const {
  std::set<CallKey> found;
  std::vector<CallKey> stack = wanted;
  while (!stack.empty()) {
    const CallKey key = stack.back();
    stack.pop_back();
    if (values.contains(key) || !found.insert(key).second || key.layer == kGiven) continue;
    const std::vector<LayerCall>& calls = layers_[key.layer].description.calls;
    if (key.call >= calls.size()) continue;
    for (const LayerArgument& argument : calls[key.call])
      if (argument.tensor) stack.push_back(key_of(argument.from));
  }
  return found;
}

void LayerModel::add_inputs(Values& values, const std::vector<CallKey>& wanted) {
  const std::set<CallKey> used = needed(values, wanted);
  if (used.contains({kGiven, 0})) {
    std::vector<std::int64_t> shape = first_shape();
    values[{kGiven, 0}] = {add_input(layers_.front().description.place.name + "_input",
                                     std::move(shape), *layers_.front().description.config)};
  }
  const auto add = [&](std::size_t index) {
    const LayerDescription& layer = layers_[index].description;
    if (layer.is_input() && used.contains({index, 0}) && !values.contains({index, 0}))
      values[{index, 0}] = {
          add_input(layer.place.name, declared_input_shape(*layer.config), *layer.config)};
  };
  for (const LayerTensor& input : description_.inputs) add(key_of(input).layer);
  for (std::size_t index = 0; index < layers_.size(); ++index) add(index);
}

// ---- Parts of models ----

// The shapes of what `layer` gives: as its readers note them, or found by importing what stands
// before it. A layer that cannot be imported is taken to keep the shape of what it reads first.
std::vector<Shape> LayerModel::shapes_behind(const Layer& layer, const Json& json,
                                             const LayerWeights& weights) const {
  const std::string& name = layer.description.place.name;
  const auto shapes_at = [&](const std::string& at) {
    ImportOptions options = context_.options;
    options.from.clear();
    options.to = at;
    options.input_shapes.erase(name);
    const Graph part = import_layers(json, weights, options, context_.dialect);
    std::vector<Shape> shapes;
    for (const GraphPort& port : part.outputs) shapes.push_back(part.tensor(port.tensor).shape);
    return shapes;
  };
  for (const Layer& reader : layers_)
    for (const LayerCall& call : reader.description.calls)
      for (const LayerArgument& argument : call)
        if (argument.tensor && argument.from.layer == name && argument.from.output == 0 &&
            argument.shape.size() > 1 &&
            std::ranges::all_of(argument.shape.begin() + 1, argument.shape.end(),
                                [](std::int64_t extent) { return extent > 0; })) {
          std::vector<std::int64_t> shape = argument.shape;
          shape[0] = context_.options.batch;
          return {make_shape(shape)};
        }
  try {
    return shapes_at(name);
  } catch (const ConvertError&) {
    try {
      for (const LayerCall& call : layer.description.calls)
        for (const LayerArgument& argument : call)
          if (argument.tensor && !argument.from.layer.empty()) {
            std::vector<Shape> shapes = shapes_at(argument.from.layer);
            if (argument.from.output < shapes.size()) return {shapes[argument.from.output]};
          }
    } catch (const ConvertError&) {
      return {};
    }
  }
  return {};
}

// Makes what the layer `from` gives inputs of the graph.
void LayerModel::cut_at(const std::string& from, Values& values, const Json& json,
                        const LayerWeights& weights) {
  const std::size_t index = by_name_.at(from);
  const Layer& layer = layers_[index];
  if (layer.description.is_input()) return;
  std::vector<std::vector<std::int64_t>> shapes;
  if (context_.options.input_shapes.contains(from)) {
    shapes.push_back({});
  } else {
    for (const Shape& shape : shapes_behind(layer, json, weights))
      shapes.emplace_back(shape.dims, shape.dims + shape.rank);
  }
  if (shapes.empty())
    throw ConvertError("what shape '" + from + "' has cannot be told; say it with --input " + from +
                       "=1x...");
  std::vector<TensorId> inputs;
  for (std::size_t output = 0; output < shapes.size(); ++output)
    inputs.push_back(add_input(output == 0 ? from : from + "_" + std::to_string(output),
                               shapes[output], Json()));
  values[{index, 0}] = std::move(inputs);
}

void LayerModel::import_whole(const Json& json, const LayerWeights& weights) {
  const ImportOptions& options = context_.options;
  Values values;
  if (!options.from.empty()) cut_at(options.from, values, json, weights);
  std::vector<CallKey> wanted;
  if (options.to.empty())
    for (const LayerTensor& output : description_.outputs) wanted.push_back(key_of(output));
  else
    wanted.push_back({by_name_.at(options.to), 0});
  add_inputs(values, wanted);

  std::vector<std::pair<std::string, TensorId>> outputs;
  if (options.to.empty()) {
    for (const LayerTensor& output : description_.outputs) {
      const std::string name =
          output.layer.empty() ? layers_.back().description.place.name : output.layer;
      outputs.emplace_back(name, value(values, output));
    }
  } else {
    compute(values, wanted[0]);
    for (const TensorId id : values.at(wanted[0])) outputs.emplace_back(options.to, id);
  }
  Graph& graph = context_.graph;
  check_input_names(options, graph);
  if (graph.inputs.empty())
    throw ConvertError("nothing of the model depends on an input; the file is damaged");
  if (!options.from.empty()) {
    const auto cut = values.find({by_name_.at(options.from), 0});
    check_cut(options, graph, cut != values.end() ? cut->second : std::vector<TensorId>{}, outputs);
  }
  graph.name = description_.name;
  add_outputs(graph, outputs);
}

Graph import_layers(const Json& json, const LayerWeights& weights, const ImportOptions& options,
                    const LayerDialect& dialect) {
  Graph graph;
  LayerContext context{graph, options, dialect};
  LayerModel model(context, json, weights, 0);
  LayerModel* part = model.find_with(options.from, options.to);
  if (part == nullptr)
    throw ConvertError(
        "the model has no " +
        (options.from.empty() || options.to.empty()
             ? "layer '" + options.from + options.to + "'"
             : "part with both layers '" + options.from + "' and '" + options.to + "'") +
        "; see the layers' names in the program that made it");
  part->import_whole(json, weights);
  return graph;
}

}  // namespace figment::converter
