// What a model's description says of its layers and of who calls them, in whatever way the version
// of Keras wrote it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "converter/import/layers/layer_weights.h"

namespace figment::converter {

// An output of a call of a layer.
struct LayerTensor {
  std::string layer;
  std::size_t call = 0, output = 0;
};

// What a call is given: a tensor, or a number.
struct LayerArgument {
  bool tensor = true;
  LayerTensor from;
  float number = 0;
  std::vector<std::int64_t> shape;  // of the tensor, where the file says it; -1 is open
};

using LayerCall = std::vector<LayerArgument>;

struct LayerDescription {
  LayerPlace place;
  const nlohmann::json* layer = nullptr;   // class_name and config
  const nlohmann::json* config = nullptr;  // an object, but of a Sequential of Keras 1 a list
  std::vector<LayerCall> calls;
  bool is_input() const { return place.class_name == "InputLayer"; }
  bool is_model() const;
};

struct ModelDescription {
  std::string name;
  std::vector<LayerDescription> layers;
  std::vector<LayerTensor> inputs, outputs;
};

bool is_model_class(const std::string& class_name);
// Reads the description of a model; `json` must outlive the result. Throws DamagedFile.
ModelDescription describe_layers(const nlohmann::json& json);
// The shape (-1: open) that a layer's or model's config gives for what goes in; empty: none.
std::vector<std::int64_t> declared_input_shape(const nlohmann::json& config);

}  // namespace figment::converter
