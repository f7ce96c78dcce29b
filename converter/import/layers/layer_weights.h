// Where the weights of a model's layers are: each format of files that holds layers has its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace figment::converter {

struct LayerArray {
  std::vector<std::int64_t> shape;
  std::function<std::vector<float>()> values;  // as many as fill the shape
};

// A layer among those of its model.
struct LayerPlace {
  std::string name, class_name;
  int of_class = 0;  // how many layers of its class stand before it
};

// The weights of one layer, or of a model with layers of its own.
class LayerWeights {
 public:
  LayerWeights() = default;
  LayerWeights(const LayerWeights&) = delete;
  LayerWeights& operator=(const LayerWeights&) = delete;
  virtual ~LayerWeights() = default;
  virtual std::unique_ptr<LayerWeights> layer(const LayerPlace& place) const = 0;
  // Those of a layer, in the order in which Keras makes them: kernel, bias; gamma, beta, moving
  // mean, moving variance. Throws ConvertError.
  virtual std::vector<LayerArray> arrays() const = 0;
};

}  // namespace figment::converter
