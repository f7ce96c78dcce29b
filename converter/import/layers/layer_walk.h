// The walk over a model made of layers, from its outputs back to its inputs.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/layers/layer_calls.h"
#include "converter/import/layers/layer_node.h"
#include "converter/import/layers/layer_weights.h"

namespace figment::converter {

// A call of a layer; `layer` is kGiven for the input of a Sequential that has no layer for it.
struct LayerCallKey {
  std::size_t layer = 0, call = 0;
  bool operator<(const LayerCallKey& other) const {
    return layer != other.layer ? layer < other.layer : call < other.call;
  }
};
inline constexpr std::size_t kGiven = static_cast<std::size_t>(-1);

class LayerModel {
 public:
  LayerModel(LayerContext& context, const nlohmann::json& json, const LayerWeights& weights,
             int depth);

  // The model, or one inside it, that has layers of these names (empty ones do not count); nullptr
  // when there is none.
  LayerModel* find_with(const std::string& from, const std::string& to);
  // Adds the model's inputs to the graph, and its outputs.
  void import_whole(const nlohmann::json& json, const LayerWeights& weights);

 private:
  using Values = std::map<LayerCallKey, std::vector<TensorId>>;

  struct Layer {
    LayerDescription description;
    std::unique_ptr<LayerWeights> weights;
    std::unique_ptr<LayerModel> model;  // of a model inside this one
    bool loaded = false;
    LayerConstants constants;
  };

  [[noreturn]] void damaged(const Layer& layer, const std::string& why) const;
  LayerCallKey key_of(const LayerTensor& tensor) const;
  Layer& named(const std::string& name);
  std::vector<TensorId> run(const std::vector<TensorId>& inputs);
  TensorId value(Values& values, const LayerTensor& tensor);
  void compute(Values& values, LayerCallKey wanted);
  std::vector<TensorId> call(Layer& layer, const LayerCall& call, Values& values);
  void load(Layer& layer);

  TensorId add_input(const std::string& name, std::vector<std::int64_t> extents,
                     const nlohmann::json& config);
  std::vector<std::int64_t> first_shape() const;
  void add_inputs(Values& values, const std::vector<LayerCallKey>& wanted);
  void cut_at(const std::string& from, Values& values, const nlohmann::json& json,
              const LayerWeights& weights);
  std::vector<Shape> shapes_behind(const Layer& layer, const nlohmann::json& json,
                                   const LayerWeights& weights) const;
  std::set<LayerCallKey> needed(const Values& values,
                                const std::vector<LayerCallKey>& wanted) const;

  LayerContext& context_;
  ModelDescription description_;
  std::vector<Layer> layers_;
  std::map<std::string, std::size_t> by_name_;
  int depth_;
};

}  // namespace figment::converter
