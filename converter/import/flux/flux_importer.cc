// The walk over a Flux model: layers become the runtime's operators.
#include "converter/import/flux/flux_importer.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "converter/import/flux/flux_layer.h"
#include "converter/import/flux/flux_models.h"

namespace figment::converter {
namespace {

constexpr int kMaxDepth = 64;
constexpr int kMostLayers = 100000;
constexpr const char* kInput = "input";
constexpr std::int64_t kUnknown = -1;

// What the first layers say of a sample's shape, Julia's axes reversed; empty: nothing.
std::vector<std::int64_t> guess_sample(const std::vector<FluxPart>& layers, int depth = 0);

std::int64_t last_extent(const JuliaValue& layer, const char* field, std::size_t from_end) {
  const JuliaValue* weight = flux_field(layer, field);
  if (weight == nullptr || weight->extents.size() <= from_end) return kUnknown;
  return weight->extents[weight->extents.size() - 1 - from_end];
}

std::vector<std::int64_t> picture_of(std::int64_t channels, const JuliaValue& layer) {
  const JuliaValue* weight = flux_field(layer, "weight");
  std::vector<std::int64_t> sample{channels, kUnknown};
  if (weight == nullptr || weight->extents.size() != 3) sample.push_back(kUnknown);
  return sample;
}

std::vector<std::int64_t> guess_of_layer(const JuliaValue& layer, int depth) {
  const std::string_view kind = struct_name(layer);
  if (kind == "Dense") return {last_extent(layer, "weight", 0)};
  if (kind == "Conv" || kind == "CrossCor") {
    const JuliaValue* groups = flux_field(layer, "groups");
    const std::int64_t count = groups != nullptr ? std::max<std::int64_t>(groups->integer, 1) : 1;
    const std::int64_t channels = last_extent(layer, "weight", 1);
    return picture_of(channels > (std::int64_t{1} << 31) / count ? kUnknown : channels * count,
                      layer);
  }
  if (kind == "ConvTranspose" || kind == "DepthwiseConv")
    return picture_of(last_extent(layer, "weight", 0), layer);
  if (kind == "Chain" || kind == "SkipConnection" || kind == "Parallel" || kind == "Maxout") {
    const JuliaValue* layers = flux_field(layer, "layers");
    if (layers == nullptr) return {};
    if (layers->is(JuliaKind::kStruct)) return guess_of_layer(*layers, depth + 1);
    std::vector<FluxPart> parts = flux_parts(*layers, "");
    if (kind != "Chain" && parts.size() > 1) parts.resize(1);
    return guess_sample(parts, depth + 1);
  }
  if (kind == "PixelShuffle" || kind == "Upsample" || kind == "MaxPool" || kind == "MeanPool")
    return {kUnknown, kUnknown, kUnknown};
  return {};
}

std::vector<std::int64_t> guess_sample(const std::vector<FluxPart>& layers, int depth) {
  if (depth > kMaxDepth) return {};
  for (const FluxPart& part : layers) {
    if (is_closure(*part.value)) return {};
    std::vector<std::int64_t> guess = guess_of_layer(*part.value, depth);
    if (!guess.empty()) return guess;
    // Only what keeps the shape, or takes any, is passed over.
    const std::string_view kind = struct_name(*part.value);
    const bool passes = is_function(*part.value) || kind == "Dropout" || kind == "BatchNorm" ||
                        kind == "AlphaDropout" || kind == "LayerNorm" || kind == "Scale";
    if (!passes) return {};
  }
  return {};
}

}  // namespace

FluxImporter::FluxImporter(const JuliaFile& file, const ImportOptions& options)
    : file_(file), options_(options) {}

Graph FluxImporter::import() {
  if (!options_.network.empty())
    throw ConvertError("--network is for files of weights alone; Flux.jl's have their layers");
  const FluxModel model = choose_flux_model(file_, options_.from, options_.to);
  TensorId x = add_input(model.layers);
  for (std::size_t index = 0; index < model.layers.size(); ++index) {
    const FluxPart& part = model.layers[index];
    next_ = index + 1 < model.layers.size() ? model.layers[index + 1].value : nullptr;
    x = apply(*part.value, part.place, x);
  }
  if (model.heads.empty()) {
    add_output("output", x);
  } else {
    constexpr const char* kNames[] = {"μ", "logσ"};
    for (std::size_t index = 0; index < model.heads.size(); ++index) {
      const FluxPart& head = model.heads[index];
      const std::string name = head.place.substr(head.place.rfind('.') + 1);
      const bool is_number = name.find_first_not_of("0123456789") == std::string::npos;
      add_output(is_number ? kNames[index % 2] : name, apply(*head.value, head.place, x));
    }
  }
  check_shapes_used();
  sweep(graph_);
  return std::move(graph_);
}

// ---- Input and outputs ----

TensorId FluxImporter::add_input(const std::vector<FluxPart>& layers) {
  const auto add = [&](std::vector<std::int64_t> extents) {
    const Shape shape = make_shape(extents);
    if (shape.elements() <= 0) throw ConvertError("the input's shape has an extent of 0");
    return graph_.add_input(kInput, DataType::kFloat32, shape);
  };
  if (const auto given = options_.input_shapes.find(kInput); given != options_.input_shapes.end())
    return add(given->second);
  if (!options_.input_shapes.empty())
    throw ConvertError("there is no input '" + options_.input_shapes.begin()->first +
                       "'; the only one is named 'input'");
  std::vector<std::int64_t> sample = guess_sample(layers);
  if (const auto given = options_.layer_shapes.find(kInput); given != options_.layer_shapes.end()) {
    sample.assign(given->second.rbegin(), given->second.rend());
    shaped_.emplace_back(kInput);
  } else if (sample.empty() && !layers.empty()) {
    // A reshape takes as many numbers as it gives.
    const auto shape = options_.layer_shapes.find(layers[0].place);
    if (shape != options_.layer_shapes.end()) sample = {count_elements(shape->second)};
  }
  if (sample.empty())
    throw ConvertError(
        "the file does not say what its first layer takes; give the shape of one "
        "sample in Julia's order, as --shape input=784 or --shape input=28x28x1");
  // The layer itself says what is wrong with its weights.
  if (sample.size() == 1) sample[0] = std::max<std::int64_t>(sample[0], 1);
  if (std::ranges::find(sample, kUnknown) != sample.end()) {
    const std::string channels =
        sample[0] == kUnknown ? std::string("CHANNELS") : std::to_string(sample[0]);
    throw ConvertError(
        "the file does not say how large the pictures are that it takes; give it in "
        "Julia's order, as --shape input=" +
        std::string(sample.size() == 3 ? "WIDTHxHEIGHTx" : "LENGTHx") + channels);
  }
  sample.insert(sample.begin(), options_.batch);
  return add(sample);
}

void FluxImporter::add_output(const std::string& name, TensorId id) {
  const auto is_it = [&](const GraphPort& port) { return port.tensor == id; };
  if (std::ranges::any_of(graph_.inputs, is_it) || std::ranges::any_of(graph_.outputs, is_it)) {
    format::BinaryT options;  // the larger of a number and itself
    options.function = format::BinaryFunction::Max;
    id = graph_.add_node(name, make_options(options), {id, id});
  }
  graph_.outputs.push_back({name, id, {}});
}

void FluxImporter::check_shapes_used() const {
  for (const auto& [place, shape] : options_.layer_shapes)
    if (std::ranges::find(shaped_, place) == shaped_.end())
      throw ConvertError("--shape names '" + place +
                         "', which is no function without a name among the layers");
}

// ---- Layers ----

TensorId FluxImporter::apply(const JuliaValue& layer, const std::string& place, TensorId x) {
  if (++depth_ > kMaxDepth || ++applied_ > kMostLayers)
    throw ConvertError("'" + place.substr(0, 100) +
                       "' is nested too deep, or has too many layers; the file is damaged");
  const TensorId y = apply_here(layer, place, x);
  --depth_;
  return y;
}

TensorId FluxImporter::apply_here(const JuliaValue& layer, const std::string& place, TensorId x) {
  if (layer.is(JuliaKind::kNothing)) return x;
  if (!layer.is(JuliaKind::kStruct) && !layer.is(JuliaKind::kType))
    throw ConvertError("'" + place +
                       "' is no layer; the file is damaged, or of a version of "
                       "Flux.jl that is not known");
  FluxLayer node(*this, layer, place);
  if (options_.layer_shapes.contains(place) || is_closure(layer)) return apply_closure(node, x);
  const FluxRow* row = find_flux_row(node.kind());
  if (row != nullptr) return row->import(node, x);
  if (is_function(layer) || layer.is(JuliaKind::kType)) {
    if (node.kind().find('#') != std::string::npos || std::isdigit(node.kind()[0]) != 0)
      return apply_closure(node, x);
    node.refuse("this function is not known; the activations of NNlib.jl and flatten are");
  }
  node.refuse(
      "this layer is not known; cut the model before or behind it with --from and --to, or give "
      "the layers of its parts");
}

TensorId FluxImporter::apply_closure(FluxLayer& layer, TensorId x) {
  const auto given = options_.layer_shapes.find(layer.place());
  if (given != options_.layer_shapes.end()) {
    shaped_.push_back(layer.place());
    return reshape_flux(layer, x, given->second);
  }
  const Shape shape = layer.shape(x);
  const std::int64_t sample = shape.rank > 0 && shape[0] > 0 ? shape.elements() / shape[0] : 0;
  layer.refuse(
      "it has no name, and the file does not say what it does; if it reshapes, give the "
      "shape in Julia's order, as --shape " +
      layer.place() + "=" + suggest_shape(sample) + ", and if it flattens, --shape " +
      layer.place() + "=" + std::to_string(sample));
}

// The square picture of so many numbers that the next layer takes, where there is one.
std::string FluxImporter::suggest_shape(std::int64_t sample) const {
  const std::vector<std::int64_t> wanted =
      next_ != nullptr ? guess_of_layer(*next_, 0) : std::vector<std::int64_t>{};
  if (wanted.size() == 3 && wanted[0] > 0 && sample % wanted[0] == 0) {
    const std::int64_t pixels = sample / wanted[0];
    const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(pixels)));
    if (side * side == pixels)
      return std::to_string(side) + "x" + std::to_string(side) + "x" + std::to_string(wanted[0]);
  }
  return "WIDTHxHEIGHTxCHANNELS";
}

TensorId reshape_flux(FluxLayer& layer, TensorId x, const std::vector<std::int64_t>& extents) {
  const Shape shape = layer.shape(x);
  const std::int64_t sample = shape.rank > 0 && shape[0] > 0 ? shape.elements() / shape[0] : 0;
  const std::int64_t wanted = count_elements(extents);
  if (wanted != sample)
    layer.refuse("its shape has " + std::to_string(wanted) + " numbers, but a sample has " +
                 std::to_string(sample) + " before it");
  std::vector<std::int64_t> reversed(extents.rbegin(), extents.rend());
  reversed.insert(reversed.begin(), shape[0]);
  return layer.reshape_to(x, reversed);
}

void FluxImporter::spend(const JuliaValue& numbers, const std::string& what) {
  const std::int64_t count = count_elements(numbers.extents);
  const std::uint64_t most = 3 * std::uint64_t{file_.size()};
  const std::uint64_t bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0)) * 4;
  if (count < 0 || bytes > most || constant_bytes_ > most - bytes)
    throw ConvertError(what +
                       " is used too often: the model would be many times larger than its "
                       "file, which is damaged");
  constant_bytes_ += bytes;
}

}  // namespace figment::converter
