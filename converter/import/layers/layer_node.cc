// One call of a layer: its settings, inputs and weights.
#include "converter/import/layers/layer_node.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "converter/import/noise.h"
#include "converter/import/spatial.h"

namespace figment::converter {
namespace {

constexpr int kMostInner = 4;  // layers inside layers

}  // namespace

std::optional<std::int64_t> whole_number(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > std::uint64_t{1} << 62) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::abs(number) < 1e15 && std::floor(number) == number)
      return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

LayerNode::LayerNode(LayerContext& context, const std::string& name, const std::string& class_name,
                     const Json& config, LayerConstants& constants, std::vector<TensorId> inputs)
    : NodeBuilder(context.graph, name, class_name),
      context_(context),
      config_(config),
      constants_(constants),
      inputs_(std::move(inputs)) {}

std::vector<TensorId> LayerNode::import() {
  const LayerRow* row = find_layer(kind());
  try {
    if (row != nullptr)
      row->import(*this);
    else if (!import_sampling(*this))
      refuse("this layer is not supported; cut the model there: --from " + label() +
             " converts what follows it, --to LAYER what ends before it");
  } catch (const ConvertError& error) {
    // Sentences from the graph do not know which layer they are about.
    if (std::string(error.what()).starts_with("node '" + label() + "' (" + kind())) throw;
    refuse(error.what());
  }
  if (depth_ == 0 && weights_left() > 0)
    refuse("it has " + std::to_string(constants_.ids.size()) + " weights, but only " +
           std::to_string(taken_) + " go with its settings; the file is damaged");
  return outputs_;
}

std::vector<TensorId> LayerNode::import_inner(const Json& layer, std::vector<TensorId> inputs) {
  if (depth_ >= kMostInner) refuse("it has too many layers inside one another");
  const auto name = layer.find("class_name");
  const auto config = layer.find("config");
  if (!layer.is_object() || name == layer.end() || !name->is_string() || config == layer.end() ||
      !config->is_object())
    refuse("the layer inside it is unreadable; the file is damaged");
  const auto class_name = name->get<std::string>();
  LayerNode inner(context_, label(), class_name, *config, constants_, std::move(inputs));
  inner.depth_ = depth_ + 1;
  inner.taken_ = taken_;
  std::vector<TensorId> outputs = inner.import();
  taken_ = inner.taken_;
  return outputs;
}

void LayerNode::with_settings_of(const Json& config, const std::function<void(LayerNode&)>& use) {
  LayerNode inner(context_, label(), kind(), config, constants_, inputs_);
  inner.taken_ = taken_;
  use(inner);
  taken_ = inner.taken_;
}

// ---- Settings ----

const nlohmann::json* LayerNode::find(Names names) const {
  for (const char* name : names)
    if (const auto found = config_.find(name); found != config_.end() && !found->is_null())
      return &*found;
  return nullptr;
}

bool LayerNode::flag(Names names, bool otherwise) const {
  const Json* found = find(names);
  if (found == nullptr) return otherwise;
  if (found->is_boolean()) return found->get<bool>();
  if (const auto number = whole_number(*found)) return *number != 0;
  refuse("its setting '" + std::string(*names.begin()) + "' must be true or false");
}

std::int64_t LayerNode::integer_setting(Names names, std::int64_t otherwise) const {
  const Json* found = find(names);
  if (found == nullptr) return otherwise;
  if (const auto number = whole_number(*found)) return *number;
  refuse("its setting '" + std::string(*names.begin()) + "' must be a whole number");
}

float LayerNode::number_setting(Names names, float otherwise) const {
  const Json* found = find(names);
  if (found == nullptr) return otherwise;
  // Old files wrap numbers as arrays: {"type": "ndarray", "value": 0.3}.
  if (found->is_object() && found->contains("value")) found = &found->at("value");
  if (!found->is_number())
    refuse("its setting '" + std::string(*names.begin()) + "' must be a number");
  return static_cast<float>(found->get<double>());
}

std::string LayerNode::text_setting(Names names, const std::string& otherwise) const {
  const Json* found = find(names);
  if (found == nullptr) return otherwise;
  if (!found->is_string())
    refuse("its setting '" + std::string(*names.begin()) + "' must be a text");
  return found->get<std::string>();
}

std::vector<std::int64_t> LayerNode::integers_setting(Names names) const {
  const Json* found = find(names);
  if (found == nullptr)
    refuse("it lacks the setting '" + std::string(*names.begin()) + "'; the file is damaged");
  std::vector<std::int64_t> result;
  const auto add = [&](const Json& value) {
    const auto number = whole_number(value);
    if (!number)
      refuse("its setting '" + std::string(*names.begin()) + "' must hold whole numbers");
    result.push_back(*number);
  };
  if (found->is_array())
    for (const Json& each : *found) add(each);
  else
    add(*found);
  return result;
}

std::vector<int> LayerNode::extents_setting(Names names, int axes, int otherwise, int low) const {
  std::vector<int> result(static_cast<std::size_t>(axes), otherwise);
  if (find(names) == nullptr) return result;
  const std::vector<std::int64_t> given = integers_setting(names);
  const std::string name = *names.begin();
  if (given.size() != 1 && given.size() != result.size())
    refuse("its setting '" + name + "' has " + std::to_string(given.size()) +
           " numbers, but must have " + std::to_string(axes));
  for (std::size_t axis = 0; axis < result.size(); ++axis)
    result[axis] = checked_int(given[given.size() == 1 ? 0 : axis], name, low);
  return result;
}

bool LayerNode::channels_first() const {
  const std::string format = text_setting({"data_format", "dim_ordering"}, "channels_last");
  if (format == "channels_first") return true;
  if (format == "channels_last" || format == "tf" || format == "default") return false;
  refuse("its data_format '" + format +
         "' is not supported; save the model with channels_last or channels_first");
}

int LayerNode::axis_setting(Names names, int otherwise, int rank) const {
  std::int64_t axis = otherwise;
  if (find(names) != nullptr) {
    const std::vector<std::int64_t> given = integers_setting(names);
    if (given.size() != 1) refuse("it works along several axes at once, which is not supported");
    axis = given[0];
  }
  return checked_axis(axis, rank);
}

// ---- Inputs and weights ----

TensorId LayerNode::input() const {
  if (inputs_.size() != 1)
    refuse("it has " + std::to_string(inputs_.size()) + " inputs, but must have 1");
  return inputs_[0];
}

TensorId LayerNode::weight_of_any_rank(const std::string& what) {
  if (weights_left() == 0) refuse("its weight '" + what + "' is missing; the file is damaged");
  return constants_.ids[taken_++];
}

TensorId LayerNode::weight(const std::string& what, int rank_wanted,
                           const std::vector<int>& permutation) {
  const TensorId id = weight_of_any_rank(what);
  if (rank(id) != rank_wanted)
    refuse("its weight '" + what + "' has shape " + describe(shape(id)) + ", but must have " +
           std::to_string(rank_wanted) + " axes; the file is damaged");
  if (std::ranges::is_sorted(permutation)) return id;
  const auto key = std::make_pair(id, permutation);
  for (const auto& [from, to] : constants_.turned)
    if (from == key) return to;
  const TensorId turned = transpose(id, permutation);
  constants_.turned.emplace_back(key, turned);
  return turned;
}

// ---- What several layers need ----

TensorId LayerNode::activate(TensorId x, const char* setting) {
  const auto found = config_.find(setting);
  if (found == config_.end() || found->is_null()) return x;
  // {"class_name": "LeakyReLU", "config": {...}}, or of a function: "config" is its name.
  if (found->is_object() && found->contains("class_name")) {
    const Json& config = found->value("config", Json());
    if (!config.is_string()) return import_inner(*found, {x}).at(0);
    const TensorId y = apply_activation(*this, config.get<std::string>(), x);
    if (y != kAbsent) return y;
    refuse("its activation '" + config.get<std::string>() +
           "' is a function of the user's own, which is not run; use one of Keras's");
  }
  if (!found->is_string()) refuse("its activation is unreadable; the file is damaged");
  const TensorId y = apply_activation(*this, found->get<std::string>(), x);
  if (y == kAbsent)
    refuse("its activation '" + found->get<std::string>() +
           "' is not supported; use one of Keras's own");
  return y;
}

TensorId LayerNode::noise(const Shape& to) {
  return add_noise(*this, context_.options.noise, label() + "/noise", ++context_.noises, to);
}

TensorId LayerNode::to_channels_last(TensorId x) {
  return channels_first() && rank(x) >= 3 ? converter::to_channels_last(*this, x) : x;
}

TensorId LayerNode::from_channels_last(TensorId x) {
  return channels_first() && rank(x) >= 3 ? converter::from_channels_last(*this, x) : x;
}

}  // namespace figment::converter
