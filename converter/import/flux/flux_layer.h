// One layer of a Flux model while it becomes operators.
//
// A Julia array of extents (W, H, C, N) lies in memory as one of C's with (N, C, H, W): that
// reversed order is the tensors' here, so that reshapes and flattenings keep what they mean.
// Convolutions and pools put a Transpose to N,H,W,C before and after.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/flux/julia_value.h"
#include "converter/import/node_builder.h"

namespace figment::converter {

class FluxImporter;

class FluxLayer : public NodeBuilder {
 public:
  // `place` is where the user finds the layer: "decoder.2".
  FluxLayer(FluxImporter& importer, const JuliaValue& value, const std::string& place);

  const std::string& place() const { return label(); }
  const JuliaValue& value() const { return value_; }
  FluxImporter& importer() const { return importer_; }

  // ---- Fields, by the names that Flux.jl gives them now ----

  // Null where there is none, or where the file leaves it out since it holds nothing.
  const JuliaValue* field(std::string_view name) const;
  const JuliaValue& required(std::string_view name) const;
  // `otherwise` where there is none, or nothing in it.
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  float number(std::string_view name, float otherwise) const;
  bool flag(std::string_view name, bool otherwise) const;
  // One integer for each of `count` axes: a list, an array, or one for all.
  std::vector<std::int64_t> integers(const JuliaValue& list, std::size_t count) const;

  // An array as a constant, axes reversed. `rank` is what it must have; 0: any.
  TensorId array(std::string_view name, int rank) const;
  TensorId array(const JuliaValue& numbers, const std::string& name, int rank) const;
  // The same, or kAbsent where there is none: nothing, false, or Flux.Zeros.
  TensorId optional_array(std::string_view name, int rank) const;

  // ---- Parts ----

  // What the layer or function in the field makes of x.
  TensorId apply(std::string_view name, TensorId x) const;
  // The function in the field; where the file leaves it out, the first function among the
  // parameters of the layer's type. Null: the identity.
  const JuliaValue* function(std::string_view name) const;
  TensorId activate(std::string_view name, TensorId x) const;

  // ---- Axes ----

  // N,C,... -> N,...,C and back.
  TensorId to_channels_last(TensorId x);
  TensorId from_channels_last(TensorId x);
  // N,C,H,W -> N,H,W,C and N,C,L -> N,1,L,C; refuses other ranks.
  TensorId to_picture(TensorId x);
  // The way back, to as many axes as x had.
  TensorId from_picture(TensorId picture, int rank);

 private:
  FluxImporter& importer_;
  const JuliaValue& value_;
};

using FluxImport = TensorId (*)(FluxLayer& layer, TensorId x);
struct FluxRow {
  const char* name;
  FluxImport import;
};

// The layers and functions that are known, a table a file.
extern const std::span<const FluxRow> kFluxActivations;
extern const std::span<const FluxRow> kFluxContainers;
extern const std::span<const FluxRow> kFluxConvolutions;
extern const std::span<const FluxRow> kFluxDense;
extern const std::span<const FluxRow> kFluxNormalizations;
extern const std::span<const FluxRow> kFluxPictures;
extern const std::span<const FluxRow> kFluxShapes;

// The row of a layer's or function's short name; null when it is not known.
const FluxRow* find_flux_row(std::string_view name);
// The names of a layer's fields where it has `count` of them; empty where no version has.
std::span<const std::string_view> flux_field_names(std::string_view layer, std::size_t count);
// A layer of Flux.jl, not a function.
bool is_flux_layer(const JuliaValue& value);
// The field of a layer that goes by that name now; null where it has none such.
const JuliaValue* flux_field(const JuliaValue& layer, std::string_view name);

}  // namespace figment::converter
