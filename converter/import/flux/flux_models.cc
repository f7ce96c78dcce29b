// What of a file's values is a model, and which of its layers the user wants.
#include "converter/import/flux/flux_models.h"

#include <algorithm>

#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMostLayers = 10000;
constexpr std::size_t kMostListed = 20;

bool is_chain(const JuliaValue& value) { return struct_name(value) == "Chain"; }

// A struct of the user's own: its type is no layer of Flux.jl and no function.
bool is_own_struct(const JuliaValue& value) {
  return value.is(JuliaKind::kStruct) && !is_function(value) && !is_flux_layer(value);
}

// Extents of a Dense layer's weights (outputs, inputs); empty of anything else.
std::vector<std::int64_t> dense_extents(const JuliaValue& value) {
  if (struct_name(value) != "Dense") return {};
  const JuliaValue* weight = flux_field(value, "weight");
  if (weight == nullptr || weight->extents.size() != 2) return {};
  return weight->extents;
}

// The encoder of the VAEs in Flux.jl's model zoo: layers, then two of Dense beside each other, for
// the mean and the logarithm of the deviation.
bool is_encoder(const JuliaValue& value) {
  if (!is_own_struct(value) || value.items.size() < 3) return false;
  for (const JuliaValue* item : value.items)
    if (!is_flux_layer(*item)) return false;
  const std::size_t count = value.items.size();
  const auto mean = dense_extents(*value.items[count - 2]);
  const auto deviation = dense_extents(*value.items[count - 1]);
  if (mean.empty() || mean != deviation) return false;
  const auto before = dense_extents(*value.items[count - 3]);
  return before.empty() || (before[0] == mean[1] && mean[0] != mean[1]);
}

std::string name_of(const JuliaValue& value) {
  if (value.is(JuliaKind::kStruct)) return std::string(struct_name(value));
  return value.is(JuliaKind::kDictionary) ? "table" : "list";
}

std::string place_in(const std::string& place, const std::string& name) {
  return place.empty() ? name : place + "." + name;
}

std::vector<FluxPart> children(const FluxPart& part) {
  const JuliaValue* value = part.value;
  if (is_chain(*value)) {
    const JuliaValue* layers = flux_field(*value, "layers");
    if (layers == nullptr) return {};
    value = layers;
  }
  if (value->is(JuliaKind::kList) || value->is(JuliaKind::kDictionary) || is_own_struct(*value))
    return flux_parts(*value, part.place);
  return {};
}

// Adds what can be run as it is, outermost first.
void find_models(const FluxPart& part, int depth, std::size_t& steps,
                 std::vector<FluxPart>& models) {
  if (part.value->items.empty() && !is_flux_layer(*part.value)) return;
  if (depth > kMaxDepth || models.size() >= kMostListed || ++steps > kMostLayers) return;
  if (is_flux_layer(*part.value) || is_encoder(*part.value)) {
    models.push_back(part);
    return;
  }
  for (const FluxPart& child : children(part)) find_models(child, depth + 1, steps, models);
}

// The value that stands at `place`; null where there is none.
FluxPart find_part(const JuliaFile& file, const std::string& place) {
  FluxPart at{file.root, ""};
  for (int depth = 0; depth < kMaxDepth && at.place != place; ++depth) {
    const auto parts = children(at);
    const auto next = std::ranges::find_if(parts, [&](const FluxPart& part) {
      return part.place == place || place.starts_with(part.place + ".");
    });
    if (next == parts.end()) return {};
    at = *next;
  }
  return at.place == place ? at : FluxPart{};
}

void write_out(const FluxPart& part, int depth, std::vector<FluxPart>& layers) {
  if (layers.size() > kMostLayers || depth > kMaxDepth)
    throw ConvertError("'" + part.place + "' has too many layers; the file is damaged");
  if (!is_chain(*part.value)) {
    layers.push_back(part);
    return;
  }
  for (const FluxPart& child : children(part)) write_out(child, depth + 1, layers);
}

std::string list_of(const std::vector<FluxPart>& parts) {
  std::string text;
  for (std::size_t index = 0; index < std::min(parts.size(), kMostListed); ++index)
    text +=
        (text.empty() ? "" : ", ") + parts[index].place + " (" + name_of(*parts[index].value) + ")";
  return text;
}

// A table of arrays by layers' fields: Flux.state(model), or params(model).
bool holds_numbers(const JuliaValue& value, int depth) {
  if (depth > 8) return false;
  if (value.is(JuliaKind::kNumbers)) return true;
  return std::ranges::any_of(
      value.items, [&](const JuliaValue* item) { return holds_numbers(*item, depth + 1); });
}

[[noreturn]] void refuse_without_model(const JuliaFile& file) {
  const auto parts = flux_parts(*file.root, "");
  const std::string what = parts.empty() ? "nothing" : list_of(parts);
  if (holds_numbers(*file.root, 0))
    throw ConvertError("the file holds arrays but no layers of Flux.jl (" + what +
                       "): a state or parameters alone do not say what is computed; save the model "
                       "itself, with BSON.@save or JLD2.@save");
  throw ConvertError("the file holds no layers of Flux.jl (" + what +
                     "); save the model itself, with BSON.@save or JLD2.@save");
}

bool is_at_or_in(const std::string& place, const std::string& outer) {
  return place == outer || place.starts_with(outer + ".");
}

// The model in which `place` is, or which is there.
FluxPart model_of(const JuliaFile& file, const std::vector<FluxPart>& models,
                  const std::string& place, const char* option) {
  for (const FluxPart& model : models)
    if (is_at_or_in(place, model.place)) return model;
  const FluxPart there = find_part(file, place);
  if (there.value != nullptr && is_own_struct(*there.value))
    throw ConvertError(
        "'" + place + "' is a struct of your own (" + name_of(*there.value) +
        "), and what it does is not in the file; name one of its parts with --from: " +
        list_of(children(there)));
  throw ConvertError("there is no '" + place + "' to " + option + " in the file; there is " +
                     list_of(models));
}

}  // namespace

std::vector<FluxPart> flux_parts(const JuliaValue& layers, const std::string& place) {
  std::vector<FluxPart> parts;
  for (std::size_t index = 0; index < layers.items.size(); ++index)
    parts.push_back({layers.items[index],
                     place_in(place, index < layers.names.size() ? layers.names[index]
                                                                 : std::to_string(index + 1))});
  return parts;
}

FluxModel choose_flux_model(const JuliaFile& file, const std::string& from, const std::string& to) {
  std::vector<FluxPart> models;
  std::size_t steps = 0;
  find_models({file.root, ""}, 0, steps, models);
  if (models.empty()) refuse_without_model(file);

  FluxPart model = models[0];
  if (!from.empty()) {
    model = model_of(file, models, from, "begin from");
  } else if (!to.empty()) {
    model = model_of(file, models, to, "end at");
  } else if (models.size() > 1) {
    throw ConvertError("the file holds several models; name one of them with --from: " +
                       list_of(models));
  }
  FluxModel chosen;
  if (is_encoder(*model.value) && (from.empty() || from == model.place) &&
      (to.empty() || to == model.place)) {
    auto parts = flux_parts(*model.value, model.place);
    chosen.heads.assign(parts.end() - 2, parts.end());
    parts.resize(parts.size() - 2);
    for (const FluxPart& part : parts) write_out(part, 0, chosen.layers);
    return chosen;
  }
  // A part of an encoder is a model by itself.
  if (is_encoder(*model.value))
    for (const FluxPart& part : flux_parts(*model.value, model.place))
      if (is_at_or_in(from.empty() ? to : from, part.place)) model = part;

  write_out(model, 0, chosen.layers);
  std::vector<FluxPart>& layers = chosen.layers;
  if (!to.empty()) {
    const auto last =
        std::ranges::find_if(layers.rbegin(), layers.rend(),
                             [&](const FluxPart& part) { return is_at_or_in(part.place, to); });
    if (last == layers.rend())
      throw ConvertError("there is no '" + to + "' to end at in '" + model.place +
                         "'; its layers are " + list_of(layers));
    layers.erase(last.base(), layers.end());
  }
  if (from.empty() || from == model.place) return chosen;
  const auto first = std::ranges::find_if(
      layers, [&](const FluxPart& part) { return is_at_or_in(part.place, from); });
  if (first == layers.end())
    throw ConvertError("there is no '" + from + "' to begin from in '" + model.place +
                       "'; its layers are " + list_of(layers));
  // A layer's result is the input; of a chain in a chain it is the chain's own.
  const bool one_layer = first->place == from;
  layers.erase(layers.begin(), one_layer ? first + 1 : first);
  if (!one_layer && to.empty())
    std::erase_if(layers, [&](const FluxPart& part) { return !is_at_or_in(part.place, from); });
  if (layers.empty())
    throw ConvertError("nothing comes after '" + from + "' in '" + model.place + "'");
  return chosen;
}

}  // namespace figment::converter
