// Weights that are found by their names.
#include "converter/import/layers/named_weights.h"

#include "converter/import/layers/layer_calls.h"

namespace figment::converter {
namespace {

// True when `name` has this part before one of its slashes; what stands behind the last one is what
// the weight is of the layer.
bool has_part(const std::string& name, const std::string& part) {
  for (std::size_t start = 0; start < name.size();) {
    const std::size_t end = name.find('/', start);
    if (end == std::string::npos) return false;
    if (name.compare(start, end - start, part) == 0) return true;
    start = end + 1;
  }
  return false;
}

class NamedWeights : public LayerWeights {
 public:
  NamedWeights(std::function<LayerArray(const std::string&)> read, std::vector<std::string> names)
      : read_(std::move(read)), names_(std::move(names)) {}

  std::unique_ptr<LayerWeights> layer(const LayerPlace& place) const override {
    std::vector<std::string> own;
    // A layer's name may hold slashes itself.
    for (const std::string& name : names_)
      if (has_part(name, place.name) || name.starts_with(place.name + "/")) own.push_back(name);
    // A model inside another need not be named in its layers' weights.
    if (own.empty() && is_model_class(place.class_name)) own = names_;
    return std::make_unique<NamedWeights>(read_, std::move(own));
  }
  std::vector<LayerArray> arrays() const override {
    std::vector<LayerArray> result;
    for (const std::string& name : names_) result.push_back(read_(name));
    return result;
  }

 private:
  std::function<LayerArray(const std::string&)> read_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<LayerWeights> named_weights(
    const std::function<LayerArray(const std::string& name)>& read,
    std::vector<std::string> names) {
  return std::make_unique<NamedWeights>(read, std::move(names));
}

}  // namespace figment::converter
