// Models made of layers: their inputs and outputs, and parts of them.
#include "converter/import/layers/layer_model.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "converter/import/add_outputs.h"
#include "converter/import/layers/layer_walk.h"
#include "converter/import/open_inputs.h"

namespace figment::converter {

using Json = nlohmann::json;

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
std::set<LayerCallKey> LayerModel::needed(const Values& values,
                                          const std::vector<LayerCallKey>& wanted) const {
  std::set<LayerCallKey> found;
  std::vector<LayerCallKey> stack = wanted;
  while (!stack.empty()) {
    const LayerCallKey key = stack.back();
    stack.pop_back();
    if (values.contains(key) || !found.insert(key).second || key.layer == kGiven) continue;
    const std::vector<LayerCall>& calls = layers_[key.layer].description.calls;
    if (key.call >= calls.size()) continue;
    for (const LayerArgument& argument : calls[key.call])
      if (argument.tensor) stack.push_back(key_of(argument.from));
  }
  return found;
}

void LayerModel::add_inputs(Values& values, const std::vector<LayerCallKey>& wanted) {
  const std::set<LayerCallKey> used = needed(values, wanted);
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
  std::vector<LayerCallKey> wanted;
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
