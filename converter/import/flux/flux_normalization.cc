// Normalizations, as they are in test mode.
#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

void require_channels(const FluxLayer& layer, TensorId x, int least_rank) {
  if (layer.rank(x) < least_rank)
    layer.refuse("its input has " + std::to_string(layer.rank(x)) + " axes, but must have " +
                 std::to_string(least_rank) + " or more");
}

// Statistics of the training, or null where the layer has none.
const JuliaValue* tracked(const FluxLayer& layer) {
  const JuliaValue* mean = layer.field("μ");
  return layer.flag("track_stats", true) && mean != nullptr && !mean->is(JuliaKind::kNothing)
             ? mean
             : nullptr;
}

TensorId with_statistics(FluxLayer& layer, TensorId x) {
  const TensorId mean = layer.array("μ", 1);
  const TensorId variance = layer.array("σ²", 1);
  const Shape channels = layer.shape(mean);
  const auto filled = [&](const char* name, float value) {
    const TensorId given = layer.optional_array(name, 1);
    return given != kAbsent
               ? given
               : layer.float_constant(
                     std::vector<float>(static_cast<std::size_t>(channels.elements()), value),
                     channels);
  };
  format::BatchNormalizationT options;
  options.epsilon = layer.number("ϵ", 1e-5F);
  const TensorId scale = filled("γ", 1), bias = filled("β", 0);
  const TensorId y = layer.emit(options, {layer.to_channels_last(x), scale, bias, mean, variance});
  return layer.activate("λ", layer.from_channels_last(y));
}

// Channels are Julia's last axis but one, our second.
TensorId batch_norm(FluxLayer& layer, TensorId x) {
  require_channels(layer, x, 2);
  if (tracked(layer) == nullptr)
    layer.refuse(
        "it keeps no statistics (track_stats = false), so that a sample's result depends on the "
        "others; train it with track_stats");
  return with_statistics(layer, x);
}

TensorId normalize_groups(FluxLayer& layer, TensorId x, int groups) {
  format::GroupNormalizationT options;
  options.groups = groups;
  options.epsilon = layer.number("ϵ", 1e-5F);
  const TensorId scale = layer.optional_array("γ", 1), bias = layer.optional_array("β", 1);
  const TensorId y = layer.emit(options, {layer.to_channels_last(x), scale, bias});
  return layer.activate("λ", layer.from_channels_last(y));
}

TensorId instance_norm(FluxLayer& layer, TensorId x) {
  require_channels(layer, x, 3);
  if (tracked(layer) != nullptr) return with_statistics(layer, x);
  return normalize_groups(layer, x, layer.shape(x)[1]);
}

TensorId group_norm(FluxLayer& layer, TensorId x) {
  require_channels(layer, x, 3);
  if (tracked(layer) != nullptr)
    layer.refuse("it keeps statistics (track_stats = true), which is not supported");
  const int groups = layer.checked_int(layer.integer("G", 0), "G", 1);
  if (layer.shape(x)[1] % groups != 0)
    layer.refuse("its " + std::to_string(layer.shape(x)[1]) + " channels do not divide into " +
                 std::to_string(groups) + " groups");
  return normalize_groups(layer, x, groups);
}

// Over Julia's first axes, our last. Flux divides by sqrt(variance) + epsilon (or, in later
// versions, sqrt(variance + epsilon^2)): its epsilon is a deviation, not a variance.
TensorId layer_norm(FluxLayer& layer, TensorId x) {
  const JuliaValue* size = layer.field("size");
  const bool list = size != nullptr && size->is(JuliaKind::kList);
  const std::size_t axes = list ? size->items.size() : 1;
  if (axes < 1 || axes >= static_cast<std::size_t>(layer.rank(x)))
    layer.refuse("it normalizes " + std::to_string(axes) + " axes of an array of " +
                 std::to_string(layer.rank(x)));
  const float epsilon = layer.number("ϵ", 1e-5F);
  format::LayerNormalizationT options;
  options.axes = static_cast<int>(axes);
  options.epsilon = epsilon * epsilon;
  TensorId y = layer.emit(options, {x, kAbsent, kAbsent});
  const JuliaValue* diagonal = layer.field("diag");
  const std::string_view kind = diagonal != nullptr ? struct_name(*diagonal) : std::string_view();
  if (kind == "Scale" || kind == "Diagonal") y = layer.apply("diag", y);
  // Scale has the activation in itself.
  return kind == "Scale" ? y : layer.activate("λ", y);
}

constexpr FluxRow kRows[] = {
    {"BatchNorm", batch_norm},
    {"GroupNorm", group_norm},
    {"InstanceNorm", instance_norm},
    {"LayerNorm", layer_norm},
};

}  // namespace

const std::span<const FluxRow> kFluxNormalizations = kRows;

}  // namespace figment::converter
