// The weights of layers in HDF5 files.
#include "converter/import/keras/h5_weights.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "converter/import/hdf5_object.h"
#include "converter/import/layers/named_weights.h"

namespace figment::converter {
namespace {

constexpr int kMostInner = 8;  // objects inside objects

LayerArray read_array(const Hdf5File& file, const std::string& path) {
  return {file.check_floats(path), [&file, path] { return file.values(path); }};
}

std::string join(const std::string& group, const std::string& member) {
  std::string path = group;
  path += '/';
  path += member;
  return path;
}

// ---- .h5 ----

// A list of texts, which Keras cuts in parts (NAME0, NAME1, ...) where it is long.
std::vector<std::string> read_list(const Hdf5File& file, const std::string& group,
                                   const std::string& attribute) {
  if (auto whole = file.texts(group, attribute)) return *whole;
  std::vector<std::string> result;
  for (int part = 0;; ++part) {
    const auto more = file.texts(group, attribute + std::to_string(part));
    if (!more) return result;
    result.insert(result.end(), more->begin(), more->end());
  }
}

class ListedWeights : public LayerWeights {
 public:
  ListedWeights(const Hdf5File& file, std::string group) : file_(file), group_(std::move(group)) {}

  std::unique_ptr<LayerWeights> layer(const LayerPlace& place) const override {
    const std::string group = group_ + "/" + place.name;
    // Of a model that is a layer, the list has the weights of all its layers.
    return named_weights(
        [this, group](const std::string& name) { return read_array(file_, group + "/" + name); },
        read_list(file_, group, "weight_names"));
  }
  std::vector<LayerArray> arrays() const override { return {}; }

 private:
  const Hdf5File& file_;
  std::string group_;
};

// ---- .keras ----

// "Conv2DTranspose" as Keras 3 names groups: "conv2d_transpose".
std::string snake_case(const std::string& name) {
  const auto upper = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
  const auto small = [](char letter) { return letter >= 'a' && letter <= 'z'; };
  std::string result;
  for (std::size_t index = 0; index < name.size(); ++index) {
    const char letter = name[index];
    const bool starts_word =
        upper(letter) && index > 0 &&
        ((index + 1 < name.size() && small(name[index + 1])) || small(name[index - 1]));
    if (starts_word && result.back() != '_') result += '_';
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return result;
}

class ObjectWeights : public LayerWeights {
 public:
  ObjectWeights(const Hdf5File& file, std::string group) : file_(file), group_(std::move(group)) {}

  std::unique_ptr<LayerWeights> layer(const LayerPlace& place) const override {
    const std::string layers = group_ + "/layers";
    std::string group =
        layers + "/" + snake_case(place.class_name.substr(place.class_name.rfind('>') + 1));
    if (place.of_class > 0) group += "_" + std::to_string(place.of_class);
    // Where groups carry their layers' names, those decide.
    if (by_name_.empty() && file_.is_group(layers))
      for (const std::string& member : file_.members(layers)) {
        const std::string own = join(layers, member);
        if (const auto name = file_.text(join(own, "vars"), "name")) by_name_[*name] = own;
      }
    if (const auto named = by_name_.find(place.name); named != by_name_.end())
      group = named->second;
    return std::make_unique<ObjectWeights>(file_, group);
  }
  std::vector<LayerArray> arrays() const override {
    std::vector<LayerArray> result;
    collect(group_, 0, result);
    return result;
  }

 private:
  // An object's own weights stand in "vars", by numbers; then those of the objects inside it.
  void collect(const std::string& group, int depth, std::vector<LayerArray>& into) const {
    if (depth > kMostInner || !file_.is_group(group)) return;
    if (const std::string vars = group + "/vars"; file_.is_group(vars)) {
      const std::size_t count = file_.members(vars).size();
      for (std::size_t index = 0; index < count; ++index)
        into.push_back(read_array(file_, vars + "/" + std::to_string(index)));
    }
    for (const char* inner : {"cell", "layer", "forward_layer", "backward_layer"})
      collect(group + "/" + inner, depth + 1, into);
  }

  const Hdf5File& file_;
  std::string group_;
  mutable std::map<std::string, std::string> by_name_;
};

}  // namespace

std::unique_ptr<LayerWeights> listed_weights(const Hdf5File& file, const std::string& group) {
  return std::make_unique<ListedWeights>(file, group);
}

std::unique_ptr<LayerWeights> weights_by_object(const Hdf5File& file) {
  return std::make_unique<ObjectWeights>(file, "");
}

}  // namespace figment::converter
