// All classes of layers that are imported, by name.
#include "converter/import/layers/layer_node.h"

namespace figment::converter {

const LayerRow* find_layer(const std::string& class_name) {
  // Classes of a user's own are saved as "package>Name".
  const std::string name = class_name.substr(class_name.rfind('>') + 1);
  for (const std::span<const LayerRow> family :
       {kActivationLayers, kConvolutionLayers, kCoreLayers, kMergingLayers, kNormalizationLayers,
        kPoolingLayers, kRecurrentLayers, kResamplingLayers, kSamplingLayers, kShapeLayers})
    for (const LayerRow& row : family)
      if (name == row.name) return &row;
  return nullptr;
}

}  // namespace figment::converter
