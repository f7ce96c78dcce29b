// Dense layers, embeddings, and what changes nothing once a model is trained.
#include <nlohmann/json.hpp>

#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;

// kernel [inputs, units], bias [units]
void dense(LayerNode& node) {
  const TensorId weights = node.weight("kernel", 2, {1, 0});
  const bool biased = node.flag({"use_bias", "bias"}, true);
  const TensorId bias = biased ? node.weight("bias", 1) : kAbsent;
  node.set_output(node.activate(node.emit(format::DenseT{}, {node.input(), weights, bias})));
}

// embeddings [vocabulary, outputs]
void embedding(LayerNode& node) {
  const TensorId table = node.weight("embeddings", 2);
  if (node.flag({"mask_zero"}, false))
    node.refuse("it masks the symbol 0, which is not supported; train it with mask_zero=False");
  node.set_output(node.emit(format::GatherT{}, {table, node.cast(node.input(), DataType::kInt32)}));
}

// Of training alone.
void nothing(LayerNode& node) {
  node.skip_weights();  // the state of a random generator
  node.set_output(node.input());
}

// x * scale + offset
void rescaling(LayerNode& node) {
  TensorId x = node.cast(node.input(), DataType::kFloat32);
  x = node.binary(BinaryFunction::Mul, x, node.scalar(node.number_setting({"scale"}, 1)));
  node.set_output(
      node.binary(BinaryFunction::Add, x, node.scalar(node.number_setting({"offset"}, 0))));
}

// Of the super-resolution models of UpscalerJS: x * beta.
void multiply_beta(LayerNode& node) {
  const TensorId factor = node.weights_left() > 0
                              ? node.weight_of_any_rank("beta")
                              : node.scalar(node.number_setting({"beta"}, 0.2F));
  node.set_output(node.binary(BinaryFunction::Mul, node.input(), factor));
}

constexpr LayerRow kRows[] = {
    {"ActivityRegularization", nothing},
    {"AlphaDropout", nothing},
    {"Dense", dense},
    {"Dropout", nothing},
    {"Embedding", embedding},
    {"GaussianDropout", nothing},
    {"GaussianNoise", nothing},
    {"Identity", nothing},
    {"MultiplyBeta", multiply_beta},
    {"Rescaling", rescaling},
    {"SpatialDropout1D", nothing},
    {"SpatialDropout2D", nothing},
    {"StopGradient", nothing},
};

}  // namespace

const std::span<const LayerRow> kCoreLayers = kRows;

}  // namespace figment::converter
