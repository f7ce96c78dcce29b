// One call of a layer as its importer sees it: settings, inputs, weights, and what it becomes.
#pragma once

#include <functional>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/import/import.h"
#include "converter/import/node_builder.h"

namespace figment::converter {

// What differs between the writers of layers.
struct LayerDialect {
  int keras = 2;  // the major version
  // Bilinear up-sampling counts from pixels' corners, not their centres (TensorFlow 1, and
  // TensorFlow.js).
  bool corner_bilinear = false;
};

// What all calls of one model share.
struct LayerContext {
  Graph& graph;
  const ImportOptions& options;
  LayerDialect dialect;
  unsigned noises = 0;  // random operators so far
  int calls = 0;        // of layers
};

// A layer's weights as constants, read once however often the layer is called.
struct LayerConstants {
  std::vector<TensorId> ids;
  std::vector<std::pair<std::pair<TensorId, std::vector<int>>, TensorId>> turned;
};

class LayerNode : public NodeBuilder {
 public:
  using Json = nlohmann::json;
  using Names = std::initializer_list<const char*>;

  // `config` and `constants` must outlive the node.
  LayerNode(LayerContext& context, const std::string& name, const std::string& class_name,
            const Json& config, LayerConstants& constants, std::vector<TensorId> inputs);

  LayerContext& context() const { return context_; }
  const Json& config() const { return config_; }
  // Imports the call as its class says; its outputs. Refuses what it does not know.
  std::vector<TensorId> import();
  // Of an activation that is given as a layer, and of the layer inside TimeDistributed: imported
  // with this layer's weights.
  std::vector<TensorId> import_inner(const Json& layer, std::vector<TensorId> inputs);

  // Calls `use` with a node that has other settings and this one's weights.
  void with_settings_of(const Json& config, const std::function<void(LayerNode&)>& use);

  // ---- Settings: the first of some names that is there (and not null); older versions of Keras
  // have other names. Each refuses values of another type ----

  const Json* find(Names names) const;
  bool flag(Names names, bool otherwise) const;
  std::int64_t integer_setting(Names names, std::int64_t otherwise) const;
  float number_setting(Names names, float otherwise) const;
  std::string text_setting(Names names, const std::string& otherwise) const;
  // A list of whole numbers; a number alone is a list of one.
  std::vector<std::int64_t> integers_setting(Names names) const;
  // One number for both of `axes` axes, or one each; at least `low`.
  std::vector<int> extents_setting(Names names, int axes, int otherwise, int low = 1) const;
  bool channels_first() const;
  // An axis among `rank`, from a number or a list of one.
  int axis_setting(Names names, int otherwise, int rank) const;

  // ---- Inputs and outputs ----

  std::span<const TensorId> inputs() const { return inputs_; }
  // The only input.
  TensorId input() const;
  void set_output(TensorId id) { outputs_ = {id}; }
  void set_outputs(std::vector<TensorId> ids) { outputs_ = std::move(ids); }

  // ---- Weights, one after another ----

  std::size_t weights_left() const { return constants_.ids.size() - taken_; }
  // The next one, which `what` names in messages and which has `rank` axes; as it is, or with its
  // axes in another order.
  TensorId weight(const std::string& what, int rank, const std::vector<int>& permutation = {});
  TensorId weight_of_any_rank(const std::string& what);
  void skip_weights() { taken_ = constants_.ids.size(); }

  // ---- What several layers need ----

  // The function that the layer's setting 'activation' names, applied to x.
  TensorId activate(TensorId x) { return activate(x, "activation"); }
  TensorId activate(TensorId x, const char* setting);
  // Standard normal noise of this shape: an operator, or an input that the user fills.
  TensorId noise(const Shape& shape);
  // x with channels last, whatever the layer's data_format says; and back.
  TensorId to_channels_last(TensorId x);
  TensorId from_channels_last(TensorId x);

 private:
  friend class LayerModel;

  LayerContext& context_;
  const Json& config_;
  LayerConstants& constants_;
  std::vector<TensorId> inputs_, outputs_;
  std::size_t taken_ = 0;
  int depth_ = 0;
};

struct LayerRow {
  const char* name;
  void (*import)(LayerNode&);
};

// The importer of a class of layers; nullptr when there is none.
const LayerRow* find_layer(const std::string& class_name);

// One family of layers a file.
extern const std::span<const LayerRow> kActivationLayers, kConvolutionLayers, kCoreLayers,
    kMergingLayers, kNormalizationLayers, kPoolingLayers, kRecurrentLayers, kResamplingLayers,
    kSamplingLayers, kShapeLayers;

// Whole numbers in JSON, wherever they stand; nothing for what is none.
std::optional<std::int64_t> whole_number(const nlohmann::json& value);

// A function by its name in Keras ("relu"), applied to x; kAbsent when there is no such function.
TensorId apply_activation(LayerNode& node, const std::string& name, TensorId x);

// A call of the usual VAE kind: z_mean and z_log_var to a latent. False when it is none.
bool import_sampling(LayerNode& node);

}  // namespace figment::converter
