// The weights of TensorFlow.js: a manifest in model.json names them in the order in which they
// stand in the files beside it, perhaps quantized.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/import/layers/layer_weights.h"

namespace figment::converter {

class TfjsWeights {
 public:
  // Reads the files that `manifest` names in `folder`. Throws ConvertError, or DamagedFile.
  TfjsWeights(const nlohmann::json& manifest, const std::filesystem::path& folder);

  // In the manifest's order.
  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& name) const { return places_.contains(name); }
  // As float32, whatever the file has. Throws DamagedFile where there is no such weight.
  LayerArray array(const std::string& name) const;
  // As a constant of the graph: float32, or int32 for integers and truths.
  TensorId add_to(Graph& graph, const std::string& name) const;

 private:
  enum class Storage { kFloat32, kFloat16, kInt32, kUInt8, kUInt16, kBool };
  struct Place {
    std::vector<std::int64_t> shape;
    std::size_t count = 0;
    std::size_t file = 0, offset = 0;  // into files_
    Storage storage = Storage::kFloat32;
    bool integers = false;         // what the numbers stand for
    double scale = 1, lowest = 0;  // of quantized ones: lowest + scale * q
  };

  void read_group(const nlohmann::json& group, const std::filesystem::path& folder);
  Place read_place(const nlohmann::json& weight) const;
  double number(const Place& place, std::size_t index) const;

  std::vector<std::string> names_;
  std::map<std::string, Place> places_;
  std::vector<std::vector<std::byte>> files_;  // of each group, one after another
};

}  // namespace figment::converter
