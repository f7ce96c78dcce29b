// The weights of TensorFlow.js.
#include "converter/import/tfjs/tfjs_weights.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "converter/import/layers/layer_node.h"
#include "runtime/math/half.h"

namespace figment::converter {
namespace {

using Json = nlohmann::json;

[[noreturn]] void damaged(const std::string& what) {
  throw DamagedFile("the weights manifest " + what + "; model.json is damaged: copy it again");
}

const Json& member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (!object.is_object() || found == object.end()) damaged("lacks '" + std::string(name) + "'");
  return *found;
}

std::string text_of(const Json& object, const char* name) {
  const Json& found = member(object, name);
  if (!found.is_string()) damaged("has no text as '" + std::string(name) + "'");
  return found.get<std::string>();
}

double number_of(const Json& object, const char* name) {
  const Json& found = member(object, name);
  if (!found.is_number()) damaged("has no number as '" + std::string(name) + "'");
  return found.get<double>();
}

// Appends a file beside model.json.
void append_file(const std::filesystem::path& folder, const std::string& name,
                 std::vector<std::byte>& into) {
  // A manifest may come from anywhere; it reads nothing outside its own folder.
  const std::filesystem::path relative(name);
  bool inside = !name.empty() && relative.is_relative();
  for (const auto& part : relative) inside = inside && part != "..";
  if (!inside)
    throw ConvertError("model.json names the weights '" + name +
                       "', which are not in its own folder; move them there");
  const std::filesystem::path path = folder / relative;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file || !std::filesystem::is_regular_file(path))
    throw ConvertError("the weights '" + name + "' are not beside model.json; copy them there");
  const std::size_t before = into.size();
  into.resize(before + size);
  if (!file.read(reinterpret_cast<char*>(into.data() + before), static_cast<std::streamsize>(size)))
    throw DamagedFile("the weights '" + name + "' cannot be read; copy them again");
}

}  // namespace

TfjsWeights::TfjsWeights(const Json& manifest, const std::filesystem::path& folder) {
  if (!manifest.is_array()) damaged("is no list");
  for (const Json& group : manifest) read_group(group, folder);
}

void TfjsWeights::read_group(const Json& group, const std::filesystem::path& folder) {
  std::vector<std::byte> bytes;
  const Json& paths = member(group, "paths");
  if (!paths.is_array()) damaged("has no list of files");
  for (const Json& path : paths) {
    if (!path.is_string()) damaged("has a file without a name");
    append_file(folder, path.get<std::string>(), bytes);
  }
  const Json& weights = member(group, "weights");
  if (!weights.is_array()) damaged("has no list of weights");
  std::size_t offset = 0;
  for (const Json& weight : weights) {
    const std::string name = text_of(weight, "name");
    Place place = read_place(weight);
    place.file = files_.size();
    place.offset = offset;
    const std::size_t width =
        place.storage == Storage::kFloat32 || place.storage == Storage::kInt32    ? 4
        : place.storage == Storage::kFloat16 || place.storage == Storage::kUInt16 ? 2
                                                                                  : 1;
    if (place.count > (bytes.size() - offset) / width)
      throw DamagedFile("the weights of '" + name +
                        "' are longer than the files beside model.json; copy all of them again");
    offset += place.count * width;
    if (!places_.emplace(name, std::move(place)).second)
      damaged("has two weights called '" + name + "'");
    names_.push_back(name);
  }
  files_.push_back(std::move(bytes));
}

TfjsWeights::Place TfjsWeights::read_place(const Json& weight) const {
  Place place;
  std::uint64_t count = 1;
  const Json& shape = member(weight, "shape");
  if (!shape.is_array()) damaged("has a weight without a shape");
  for (const Json& each : shape) {
    const auto extent = whole_number(each);
    if (!extent || *extent < 0 ||
        __builtin_mul_overflow(count, static_cast<std::uint64_t>(*extent), &count))
      damaged("has a weight of impossible shape");
    place.shape.push_back(*extent);
  }
  place.count = count;
  std::string type = text_of(weight, "dtype");
  place.integers = type == "int32" || type == "bool" || type == "uint8";
  if (const auto found = weight.find("quantization"); found != weight.end() && !found->is_null()) {
    type = text_of(*found, "dtype");
    if (type != "float16") {
      place.scale = number_of(*found, "scale");
      place.lowest = number_of(*found, "min");
    }
  }
  if (type == "float32")
    place.storage = Storage::kFloat32;
  else if (type == "float16")
    place.storage = Storage::kFloat16;
  else if (type == "int32")
    place.storage = Storage::kInt32;
  else if (type == "uint16")
    place.storage = Storage::kUInt16;
  else if (type == "uint8")
    place.storage = Storage::kUInt8;
  else if (type == "bool")
    place.storage = Storage::kBool;
  else
    throw ConvertError("the weight '" + text_of(weight, "name") + "' is of the type '" + type +
                       "', which is not supported; convert the model with float32 weights");
  return place;
}

double TfjsWeights::number(const Place& place, std::size_t index) const {
  const std::byte* start = files_[place.file].data() + place.offset;
  const auto read = [&](auto value) {
    std::memcpy(&value, start + index * sizeof(value), sizeof(value));
    return value;
  };
  switch (place.storage) {
    case Storage::kFloat32:
      return static_cast<double>(read(float{}));
    case Storage::kFloat16:
      return static_cast<double>(math::widen_half(read(std::uint16_t{})));
    case Storage::kInt32:
      return static_cast<double>(read(std::int32_t{}));
    case Storage::kUInt16:
      return read(std::uint16_t{}) * place.scale + place.lowest;
    default:
      return read(std::uint8_t{}) * place.scale + place.lowest;
  }
}

LayerArray TfjsWeights::array(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end())
    throw DamagedFile("the weights manifest has no weight '" + name +
                      "'; model.json is damaged: copy it again");
  const Place& place = found->second;
  return {place.shape, [this, &place] {
            std::vector<float> values;
            values.reserve(place.count);
            for (std::size_t index = 0; index < place.count; ++index)
              values.push_back(static_cast<float>(number(place, index)));
            return values;
          }};
}

TensorId TfjsWeights::add_to(Graph& graph, const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end() || !found->second.integers) {
    const LayerArray floats = array(name);
    return graph.add_late_floats(name, make_shape(floats.shape), floats.values);
  }
  const Place& place = found->second;
  return graph.add_late(name, DataType::kInt32, make_shape(place.shape), [this, &place] {
    std::vector<std::byte> values(place.count * sizeof(std::int32_t));
    for (std::size_t index = 0; index < place.count; ++index) {
      const auto value = static_cast<std::int32_t>(std::fmin(
          std::fmax(std::round(number(place, index)), std::numeric_limits<std::int32_t>::min()),
          std::numeric_limits<std::int32_t>::max()));
      std::memcpy(values.data() + index * sizeof value, &value, sizeof value);
    }
    return values;
  });
}

}  // namespace figment::converter
