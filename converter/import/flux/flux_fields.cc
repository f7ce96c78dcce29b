// The fields of Flux.jl's layers in all its versions. BSON.jl saves structs without their fields'
// names: how many there are tells the version.
#include <algorithm>
#include <array>

#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

struct Fields {
  std::string_view layer;
  std::size_t count;
  std::array<std::string_view, 13> names;
};

constexpr Fields kFields[] = {
    {"AdaptiveMaxPool", 1, {"out"}},
    {"AdaptiveMeanPool", 1, {"out"}},
    {"BatchNorm", 8, {"λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "active"}},
    {"BatchNorm",
     11,
     {"λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "affine", "track_stats", "active", "chs"}},
    {"BroadcastFunction", 1, {"f"}},
    {"Chain", 1, {"layers"}},
    {"ComposedFunction", 2, {"outer", "inner"}},
    {"Conv", 6, {"σ", "weight", "bias", "stride", "pad", "dilation"}},
    {"Conv", 7, {"σ", "weight", "bias", "stride", "pad", "dilation", "groups"}},
    {"ConvTranspose", 6, {"σ", "weight", "bias", "stride", "pad", "dilation"}},
    {"ConvTranspose", 7, {"σ", "weight", "bias", "stride", "pad", "dilation", "groups"}},
    {"ConvTranspose", 8, {"σ", "weight", "bias", "stride", "pad", "outpad", "dilation", "groups"}},
    {"CrossCor", 6, {"σ", "weight", "bias", "stride", "pad", "dilation"}},
    {"Dense", 3, {"weight", "bias", "σ"}},
    {"DepthwiseConv", 6, {"σ", "weight", "bias", "stride", "pad", "dilation"}},
    {"Diagonal", 2, {"scale", "bias"}},
    {"Embedding", 1, {"weight"}},
    {"Fix1", 2, {"f", "x"}},
    {"Fix2", 2, {"f", "x"}},
    {"GroupNorm", 9, {"G", "λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "active"}},
    {"GroupNorm",
     12,
     {"G", "λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "affine", "track_stats", "active", "chs"}},
    {"GroupNorm",
     13,
     {"G", "λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "affine", "track_stats", "active", "chs",
      "dim"}},
    {"InstanceNorm", 8, {"λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "active"}},
    {"InstanceNorm",
     11,
     {"λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "affine", "track_stats", "active", "chs"}},
    {"InstanceNorm",
     12,
     {"λ", "β", "γ", "μ", "σ²", "ϵ", "momentum", "affine", "track_stats", "active", "chs", "dim"}},
    {"LayerNorm", 1, {"diag"}},
    {"LayerNorm", 5, {"λ", "diag", "ϵ", "size", "affine"}},
    {"MaxPool", 3, {"k", "pad", "stride"}},
    {"Maxout", 1, {"layers"}},
    {"MeanPool", 3, {"k", "pad", "stride"}},
    {"Parallel", 2, {"connection", "layers"}},
    {"PixelShuffle", 1, {"r"}},
    {"Scale", 3, {"scale", "bias", "σ"}},
    {"SkipConnection", 2, {"layers", "connection"}},
    {"Upsample", 2, {"scale", "size"}},
};

// Names that fields had before, or have had since.
constexpr std::array<std::string_view, 2> kOtherNames[] = {
    {"W", "weight"}, {"b", "bias"}, {"eps", "ϵ"},       {"ε", "ϵ"},          {"α", "scale"},
    {"β", "bias"},   {"σ", "σ²"},   {"over", "layers"}, {"layer", "layers"},
};

}  // namespace

std::span<const std::string_view> flux_field_names(std::string_view layer, std::size_t count) {
  for (const Fields& row : kFields)
    if (row.layer == layer && row.count == count) return std::span(row.names).first(count);
  return {};
}

const JuliaValue* flux_field(const JuliaValue& layer, std::string_view name) {
  const auto at = [&](std::ptrdiff_t index) -> const JuliaValue* {
    const auto place = static_cast<std::size_t>(index);
    return place < layer.items.size() ? layer.items[place] : nullptr;
  };
  if (layer.names.empty()) {
    const auto names = flux_field_names(struct_name(layer), layer.items.size());
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? nullptr : at(found - names.begin());
  }
  if (const auto found = std::ranges::find(layer.names, name); found != layer.names.end())
    return at(found - layer.names.begin());
  for (const auto& [other, now] : kOtherNames) {
    if (now != name) continue;
    const auto found = std::ranges::find(layer.names, other);
    if (found != layer.names.end()) return at(found - layer.names.begin());
  }
  return nullptr;
}

const FluxRow* find_flux_row(std::string_view name) {
  for (const auto& table : {kFluxActivations, kFluxContainers, kFluxConvolutions, kFluxDense,
                            kFluxNormalizations, kFluxPictures, kFluxShapes})
    for (const FluxRow& row : table)
      if (row.name == name) return &row;
  return nullptr;
}

bool is_flux_layer(const JuliaValue& value) {
  return value.is(JuliaKind::kStruct) && !is_function(value) &&
         find_flux_row(struct_name(value)) != nullptr;
}

}  // namespace figment::converter
