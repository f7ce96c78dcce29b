// Layers of matrices and vectors.
#include "converter/import/flux/flux_layer.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

// weight (outputs, inputs), bias (outputs,): over the first axis of Julia's, our last.
TensorId dense(FluxLayer& layer, TensorId x) {
  const TensorId weight = layer.transpose(layer.array("weight", 2), {1, 0});
  const TensorId bias = layer.optional_array("bias", 1);
  if (layer.rank(x) < 1 || layer.shape(x)[layer.rank(x) - 1] != layer.shape(weight)[1])
    layer.refuse("it takes " + std::to_string(layer.shape(weight)[1]) +
                 " numbers, but comes after an array of " + describe(layer.shape(x)) +
                 " (Julia's axes reversed)");
  return layer.activate("σ", layer.emit(format::DenseT{}, {x, weight, bias}));
}

// scale .* x .+ bias, along Julia's first axes
TensorId scale(FluxLayer& layer, TensorId x) {
  TensorId y = layer.binary(BinaryFunction::Mul, x, layer.array("scale", 0));
  if (const TensorId bias = layer.optional_array("bias", 0); bias != kAbsent)
    y = layer.binary(BinaryFunction::Add, y, bias);
  return layer.field("σ") != nullptr || layer.kind() == "Scale" ? layer.activate("σ", y) : y;
}

// weight (features, words); Julia counts words from 1.
TensorId embedding(FluxLayer& layer, TensorId x) {
  const TensorId words = layer.cast(x, DataType::kInt32);
  const TensorId index =
      layer.binary(BinaryFunction::Sub, words, layer.integer_constant({1}, Shape{}));
  format::GatherT options;
  options.axis = 0;
  return layer.emit(options, {layer.array("weight", 2), index});
}

constexpr FluxRow kRows[] = {
    {"Dense", dense},
    {"Diagonal", scale},
    {"Embedding", embedding},
    {"Scale", scale},
};

}  // namespace

const std::span<const FluxRow> kFluxDense = kRows;

}  // namespace figment::converter
