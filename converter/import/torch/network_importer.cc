// Layers, blocks and names of a network's description.
#include "converter/import/torch/network_importer.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "converter/import/torch/network.h"

namespace figment::converter {
namespace {

using Json = NetworkImporter::Json;
using Kind = TorchValue::Kind;

constexpr int kMaxDepth = 32;       // of blocks in blocks
constexpr int kMaxLayers = 20'000;  // when blocks are written out

// What an entry of "layers" may say beside its function's arguments.
constexpr const char* kOwnKeys[] = {"type",     "name",   "weights", "from",
                                    "optional", "repeat", "layers",  "comment"};

bool is_own_key(const std::string& key) {
  return std::ranges::any_of(kOwnKeys, [&](const char* own) { return key == own; });
}

std::string quoted(const std::string& name, const std::string& type) {
  return "layer '" + name + "' (" + type + ")";
}

std::string text_of(const Json& object, const char* key, const std::string& otherwise) {
  const auto found = object.find(key);
  if (found == object.end()) return otherwise;
  if (!found->is_string())
    throw ConvertError("the network's description has a \"" + std::string(key) +
                       "\" that is no text");
  return found->get<std::string>();
}

bool truth_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return false;
  if (!found->is_boolean())
    throw ConvertError("the network's description has an \"" + std::string(key) +
                       "\" that is neither true nor false");
  return found->get<bool>();
}

std::string with_dot(const std::string& prefix) { return prefix.empty() ? "" : prefix + "."; }

}  // namespace

NetworkImporter::NetworkImporter(const Json& description, const TorchStorages& storages,
                                 const TorchNames& names, const ImportOptions& options)
    : description_(description),
      options_(options),
      weights_(storages, names),
      context_{options_, graph_} {}

// ---- Names ----

TorchValue NetworkImporter::find(const std::string& name, const std::string& layer,
                                 const Scope& scope) const {
  if (name == "input") {
    for (const Scope* at = &scope; at != nullptr; at = at->outer)
      if (!at->values.contains(name)) return at->input;
  }
  for (const Scope* at = &scope; at != nullptr; at = at->outer)
    if (const auto found = at->values.find(name); found != at->values.end()) return found->second;
  // NAME.PART of a layer that gives several.
  if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) {
    const std::string part = name.substr(dot + 1);
    for (const Scope* at = &scope; at != nullptr; at = at->outer) {
      const auto found = at->values.find(name.substr(0, dot));
      if (found == at->values.end() || !found->second.is(Kind::kList)) continue;
      const std::vector<TorchValue>& items = found->second.items;
      std::size_t index = part == "h_n" ? 1 : part == "c_n" ? 2 : items.size();
      std::from_chars(part.data(), part.data() + part.size(), index);
      if (index < items.size()) return items[index];
    }
  }
  throw ConvertError("layer '" + layer + "' reads '" + name +
                     "', which is neither an input nor a layer before it in the description");
}

// "NAME[AXIS]": an extent of a tensor of the file.
std::int64_t NetworkImporter::extent_of(const std::string& text, const std::string& where) const {
  const std::size_t open = text.rfind('[');
  int axis = -1;
  if (open != std::string::npos && text.ends_with(']'))
    std::from_chars(text.data() + open + 1, text.data() + text.size() - 1, axis);
  if (axis < 0)
    throw ConvertError(where + " has the size '" + text +
                       "'; sizes are numbers, \"N\" for the batch or NAME[AXIS] of a weight");
  const std::string name = prefix_ + text.substr(0, open);
  const TorchTensor* const tensor = weights_.find(name);
  if (tensor == nullptr || static_cast<std::size_t>(axis) >= tensor->sizes.size())
    throw ConvertError(where + " has the size '" + text + "', but " + weights_.file() +
                       " has no tensor '" + name + "' of so many axes");
  return tensor->sizes[static_cast<std::size_t>(axis)];
}

// "$NAME" stands for the block's argument.
const Json& NetworkImporter::substituted(const Json& json, const std::string& layer,
                                         const Scope& scope) const {
  if (!json.is_string() || !json.get_ref<const std::string&>().starts_with('$')) return json;
  const std::string name = json.get<std::string>().substr(1);
  for (const Scope* at = &scope; at != nullptr; at = at->outer)
    if (at->arguments != nullptr)
      if (const auto found = at->arguments->find(name); found != at->arguments->end())
        return found->second;
  throw ConvertError("layer '" + layer + "' has '$" + name +
                     "', which is no argument of a block around it");
}

TorchValue NetworkImporter::value_of(const Json& given, const std::string& layer,
                                     const Scope& scope) const {
  const Json& json = substituted(given, layer, scope);
  if (json.is_boolean()) return TorchValue::of_bool(json.get<bool>());
  if (json.is_number_integer() || json.is_number_unsigned()) {
    // Numbers past 2^63 are none that a network has.
    if (json.is_number_unsigned() && json.get<std::uint64_t>() >> 62 != 0)
      throw ConvertError("layer '" + layer + "' has a number that is too large");
    return TorchValue::of_integer(json.get<std::int64_t>());
  }
  if (json.is_number()) return TorchValue::of_number(json.get<double>());
  if (json.is_string()) {
    const std::string text = json.get<std::string>();
    if (text.ends_with(']'))
      return TorchValue::of_integer(extent_of(text, "layer '" + layer + "'"));
    return TorchValue::of_text(text);
  }
  if (json.is_array()) {
    std::vector<TorchValue> items;
    for (const Json& item : json) {
      if (item.is_array()) throw ConvertError("layer '" + layer + "' has a list of lists");
      items.push_back(item.is_string() && item == "N" ? TorchValue::of_integer(batch_)
                                                      : value_of(item, layer, scope));
    }
    return TorchValue::of_list(std::move(items));
  }
  if (json.is_null()) return {};
  throw ConvertError("layer '" + layer + "' has an argument that is no number, text or list");
}

std::vector<TorchValue> NetworkImporter::operands_of(const Json& layer, const std::string& name,
                                                     const Scope& scope) {
  const auto from = layer.find("from");
  std::vector<TorchValue> operands;
  if (from == layer.end()) {
    operands.push_back(scope.last);
  } else if (from->is_string()) {
    operands.push_back(find(from->get<std::string>(), name, scope));
  } else {
    if (!from->is_array() ||
        !std::ranges::all_of(*from, [](const Json& entry) { return entry.is_string(); }))
      throw ConvertError("layer '" + name +
                         "' has a \"from\" that is no name and no list of names");
    for (const Json& entry : *from) operands.push_back(find(entry.get<std::string>(), name, scope));
  }
  // Of several results the first is meant where the layer's own name stands.
  for (TorchValue& operand : operands) {
    if (!operand.is(Kind::kList)) continue;
    if (operand.items.empty()) throw ConvertError("layer '" + name + "' reads what has no results");
    const TorchValue first = operand.items[0];
    operand = first;
  }
  return operands;
}

void NetworkImporter::note(const std::string& path, const TorchValue& value) {
  const TorchValue& first = value.is(Kind::kList) && !value.items.empty() ? value.items[0] : value;
  if (!first.is(Kind::kTensor)) return;
  paths_[path] = first.tensor;
  if (ended_ || options_.to.empty() || path != options_.to) return;
  ended_ = true;
  end_ = first.tensor;
}

// ---- Layers ----

void NetworkImporter::import_layers(const Json& layers, Scope& scope) {
  if (!layers.is_array())
    throw ConvertError("the network's description has \"layers\" that are no list");
  if (++depth_ > kMaxDepth)
    throw ConvertError("the network's description has blocks more than " +
                       std::to_string(kMaxDepth) + " deep; does one use itself?");
  for (const Json& layer : layers) {
    import_layer(layer, scope);
    if (ended_) break;
  }
  --depth_;
}

void NetworkImporter::import_layer(const Json& layer, Scope& scope) {
  // A text alone is a layer without arguments.
  if (layer.is_string()) {
    import_once(Json::object(), layer.get<std::string>(), scope);
    return;
  }
  if (!layer.is_object())
    throw ConvertError(
        "the network's description has a layer that is neither a text nor an object");
  const std::string type = text_of(layer, "type", layer.contains("layers") ? "Sequential" : "");
  if (type.empty()) throw ConvertError("the network's description has a layer without a \"type\"");
  std::int64_t repeat = 1;
  if (const auto found = layer.find("repeat"); found != layer.end()) {
    const TorchValue count = value_of(*found, type, scope);
    if (!count.is(Kind::kInteger) || count.integer < 0 || count.integer > kMaxLayers)
      throw ConvertError("layer " + type + " has a \"repeat\" that is no sensible number");
    repeat = count.integer;
    if (repeat != 1 && layer.contains("name"))
      throw ConvertError("layer " + type + " is repeated, so it can have no \"name\"");
  }
  for (std::int64_t time = 0; time < repeat && !ended_; ++time) import_once(layer, type, scope);
}

void NetworkImporter::import_once(const Json& layer, const std::string& type, Scope& scope) {
  if (++layers_ > kMaxLayers)
    throw ConvertError("the network's description has more than " + std::to_string(kMaxLayers) +
                       " layers");
  const Json* block = nullptr;
  if (const auto blocks = description_.find("blocks"); blocks != description_.end())
    if (const auto found = blocks->is_object() ? blocks->find(type) : blocks->end();
        blocks->is_object() && found != blocks->end())
      block = &*found;
  const TorchFunction* const module = block == nullptr ? find_torch_layer(type) : nullptr;
  const TorchFunction* const function =
      block == nullptr && module == nullptr ? find_torch_function(type) : nullptr;
  const bool nothing = type == "Identity" || type.starts_with("Dropout") ||
                       type == "AlphaDropout" || type == "FeatureAlphaDropout";
  const bool parameter = type == "parameter";
  if (block == nullptr && module == nullptr && function == nullptr && !nothing && !parameter &&
      type != "Sequential")
    throw ConvertError("layer '" + scope.path +
                       text_of(layer, "name", std::to_string(scope.place)) + "' has the type '" +
                       type +
                       "', which is no layer of torch.nn or function of torch that is supported, "
                       "nor a block of the description");

  // As in nn.Sequential a layer's name is its place, and functions have none.
  const std::string name =
      text_of(layer, "name",
              function != nullptr || parameter ? type + "#" + std::to_string(layers_)
                                               : std::to_string(scope.place));
  if (function == nullptr && !parameter) ++scope.place;
  const TorchValue weights = layer.contains("weights") ? value_of(layer["weights"], name, scope)
                                                       : TorchValue::of_text(name);
  if (!weights.is(Kind::kText))
    throw ConvertError("layer '" + name + "' has \"weights\" that are no name");
  const std::string prefix = scope.prefix + with_dot(weights.text);
  const std::vector<TorchValue> operands = operands_of(layer, scope.path + name, scope);
  const TorchValue input = operands.empty() ? scope.last : operands[0];

  TorchValue value;
  if (nothing || (truth_of(layer, "optional") && !weights_.has_prefix(prefix))) {
    value = input;
  } else if (parameter) {
    TorchCall made(context_, scope.path + name, type, {}, weights_, scope.prefix);
    value = TorchValue::of_tensor(made.weight(weights.text));
  } else if (block != nullptr) {
    if (!block->is_object() || !block->contains("layers"))
      throw ConvertError("the block '" + type + "' of the network's description has no \"layers\"");
    const std::map<std::string, Json> arguments = block_arguments(*block, layer, type, scope);
    value = import_block((*block)["layers"], &arguments, name, prefix, input, scope);
  } else if (type == "Sequential") {
    if (!layer.contains("layers"))
      throw ConvertError("layer '" + scope.path + name + "' (Sequential) has no \"layers\"");
    value = import_block(layer["layers"], nullptr, name, prefix, input, scope);
  } else {
    value = call(module != nullptr ? *module : *function, module != nullptr, layer, type, name,
                 prefix, operands, scope);
  }
  scope.last = value;
  scope.values[name] = value;
  note(scope.path + name, value);
}

std::map<std::string, Json> NetworkImporter::block_arguments(const Json& block, const Json& layer,
                                                             const std::string& type,
                                                             const Scope& scope) {
  std::map<std::string, Json> arguments;
  if (const auto defaults = block.find("arguments"); defaults != block.end()) {
    if (!defaults->is_object())
      throw ConvertError("the block '" + type + "' has \"arguments\" that are no object");
    for (const auto& [key, value] : defaults->items()) arguments[key] = value;
  }
  const std::string where = "the block '" + type + "'";
  for (const auto& [key, value] : layer.items()) {
    if (is_own_key(key)) continue;
    if (!arguments.contains(key))
      throw ConvertError(std::string(where).append(" has no argument '").append(key).append("'"));
    arguments[key] = substituted(value, type, scope);
  }
  return arguments;
}

TorchValue NetworkImporter::import_block(const Json& layers,
                                         const std::map<std::string, Json>* arguments,
                                         const std::string& name, const std::string& prefix,
                                         const TorchValue& input, const Scope& scope) {
  Scope inner;
  inner.outer = &scope;
  inner.prefix = prefix;
  inner.path = scope.path + name + ".";
  inner.input = inner.last = input;
  inner.arguments = arguments;
  import_layers(layers, inner);
  return inner.last;
}

TorchValue NetworkImporter::call(const TorchFunction& function, bool is_layer, const Json& layer,
                                 const std::string& type, const std::string& name,
                                 const std::string& prefix, const std::vector<TorchValue>& operands,
                                 const Scope& scope) {
  const std::vector<TorchParameter> parameters = parse_signature(function.signature);
  const std::string label = scope.path + name;
  TorchArguments arguments;
  for (const TorchParameter& parameter : parameters)
    if (parameter.otherwise) arguments[parameter.name] = *parameter.otherwise;
  // Operands are the first parameters, or one list.
  std::size_t taken = 0;
  if (!parameters.empty() && parameters[0].name == "tensors") {
    arguments["tensors"] = TorchValue::of_list(operands);
    taken = 1;
  } else if (!parameters.empty() && parameters[0].name != "size" && parameters[0].name != "start") {
    if (operands.size() > parameters.size())
      throw ConvertError(quoted(label, type) + " reads " + std::to_string(operands.size()) +
                         " values, but has at most " + std::to_string(parameters.size()));
    for (const TorchValue& operand : operands) arguments[parameters[taken++].name] = operand;
  }
  for (const auto& entry : layer.items()) {
    const std::string& key = entry.key();
    if (is_own_key(key)) continue;
    const bool known =
        std::any_of(parameters.begin() + static_cast<std::ptrdiff_t>(taken), parameters.end(),
                    [&](const TorchParameter& parameter) { return parameter.name == key; });
    if (!known)
      throw ConvertError(quoted(label, type) + " has no argument '" + key +
                         "'; its arguments are those of PyTorch: " + function.signature);
    arguments[key] = value_of(entry.value(), label, scope);
  }
  for (std::size_t index = taken; index < parameters.size(); ++index)
    if (!parameters[index].otherwise && !arguments.contains(parameters[index].name))
      throw ConvertError(quoted(label, type) + " lacks its argument '" + parameters[index].name +
                         "'");
  TorchCall made = is_layer
                       ? TorchCall(context_, label, type, std::move(arguments), weights_, prefix)
                       : TorchCall(context_, label, type, std::move(arguments));
  try {
    return function.call(made);
  } catch (const DamagedFile&) {
    throw;
  } catch (const ConvertError& error) {
    // Sentences from the graph do not know which layer they are about.
    if (std::string(error.what()).starts_with("node '")) throw;
    made.refuse(error.what());
  }
}

}  // namespace figment::converter
