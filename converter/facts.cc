// Guesses what a model is from its shapes, its last activation and its name.
#include "converter/facts.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "converter/passes/edit.h"

namespace figment::converter {
namespace {

// The function that bounds the values of tensor `id`; null when there is none.
const format::UnaryT* last_function(const Graph& graph, const Links& links, TensorId id) {
  while (links.producer[id] >= 0) {
    const Node& node = graph.nodes[links.producer[id]];
    if (node.activation) return &*node.activation;
    if (is_kind<format::UnaryT>(node)) return &node.as<format::UnaryT>();
    const bool only_moves = is_kind<format::ReshapeT>(node) || is_kind<format::TransposeT>(node) ||
                            is_kind<format::SliceT>(node);
    if (!only_moves) return nullptr;
    id = node.inputs[0];
  }
  return nullptr;
}

struct Range {
  float low = 0, high = 1;
};

// The values that mean black and white; nothing when no function bounds them.
std::optional<Range> range_of(const format::UnaryT* function) {
  if (function == nullptr) return std::nullopt;
  switch (function->function) {
    case format::UnaryFunction::Tanh:
      return Range{-1, 1};
    case format::UnaryFunction::Sigmoid:
    case format::UnaryFunction::HardSigmoid:
      return Range{0, 1};
    case format::UnaryFunction::Clip:
      if (!std::isfinite(function->alpha) || !std::isfinite(function->beta)) return std::nullopt;
      if (!(function->alpha < function->beta)) return std::nullopt;
      return Range{function->alpha, function->beta};
    default:
      return std::nullopt;
  }
}

// A picture N,H,W,C of 1 or 3 channels, or a flat square one of one channel whose values are
// bounded.
std::optional<format::ImageT> guess_image(const Graph& graph, TensorId id,
                                          const std::optional<Range>& range) {
  const Shape& shape = graph.tensor(id).shape;
  if (graph.tensor(id).type != DataType::kFloat32) return std::nullopt;
  const Range values = range.value_or(Range{});
  if (shape.rank == 4) {
    const bool is_picture =
        shape[0] == 1 && shape[1] > 1 && shape[2] > 1 && (shape[3] == 1 || shape[3] == 3);
    if (!is_picture) return std::nullopt;
    return format::ImageT{{}, shape[1], shape[2], shape[3], values.low, values.high};
  }
  constexpr std::int32_t kSmallestSide = 8;
  if (shape.rank != 2 || shape[0] != 1 || !range) return std::nullopt;
  const std::int32_t side =
      static_cast<std::int32_t>(std::lround(std::sqrt(static_cast<double>(shape[1]))));
  if (side < kSmallestSide || side * side != shape[1]) return std::nullopt;
  return format::ImageT{{}, side, side, 1, values.low, values.high};
}

bool says(const std::string& name, std::initializer_list<const char*> words) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return lower.find(word) != std::string::npos; });
}

// A picture that becomes another one, as in super-resolution: its input is no latent.
bool reads_picture(const Graph& graph) {
  if (graph.inputs.size() != 1) return false;
  const Shape& in = graph.tensor(graph.inputs[0].tensor).shape;
  const Shape& out = graph.tensor(graph.outputs[0].tensor).shape;
  return in.rank == 4 && out.rank == 4 && in[1] > 1 && in[2] > 1 && (in[3] == 1 || in[3] == 3) &&
         in[3] == out[3];
}

format::ModelKind guess_kind(const Graph& graph, bool gives_picture,
                             const format::UnaryT* function) {
  if (graph.inputs.empty()) return format::ModelKind::Other;
  if (says(graph.name, {"discriminator", "critic"})) return format::ModelKind::Discriminator;
  if (says(graph.name, {"encoder"})) return format::ModelKind::Encoder;
  if (says(graph.name, {"decoder"})) return format::ModelKind::Decoder;
  if (says(graph.name, {"generator"})) return format::ModelKind::Generator;
  const std::int64_t read = graph.tensor(graph.inputs[0].tensor).shape.elements();
  std::int64_t written = 0;  // by the largest output: some decoders give previews beside it
  for (const GraphPort& port : graph.outputs)
    written = std::max(written, graph.tensor(port.tensor).shape.elements());
  if (gives_picture && reads_picture(graph)) return format::ModelKind::Other;
  if (gives_picture && written > read) {
    const bool is_gan =
        says(graph.name, {"gan"}) || (!says(graph.name, {"vae", "dec"}) && function != nullptr &&
                                      function->function == format::UnaryFunction::Tanh);
    return is_gan ? format::ModelKind::Generator : format::ModelKind::Decoder;
  }
  if (written == 1 && read > 1) return format::ModelKind::Discriminator;
  return written < read ? format::ModelKind::Encoder : format::ModelKind::Other;
}

// A text is drawn from the inputs that are neither the symbol before nor a state.
ModelFacts describe_text_model(const Graph& graph, const ConvertOptions& options) {
  format::TextT text = resolve_text(graph, *options.text);
  ModelFacts facts;
  facts.kind = options.kind.value_or(format::ModelKind::Decoder);
  facts.prior = options.prior;
  for (std::size_t index = 0; index < graph.inputs.size(); ++index) {
    const auto is_input = [&](const auto& state) {
      return state->input == static_cast<std::int32_t>(index);
    };
    if (static_cast<std::int32_t>(index) == text.symbol_input ||
        std::any_of(text.states.begin(), text.states.end(), is_input))
      continue;
    if (!facts.prior) facts.prior.emplace();
    if (facts.prior->size == 0)
      facts.prior->size =
          static_cast<std::int32_t>(graph.tensor(graph.inputs[index].tensor).shape.elements());
  }
  facts.output_reading.Set(std::move(text));
  facts.licence = options.licence;
  return facts;
}

}  // namespace

ModelFacts describe_model(const Graph& graph, const ConvertOptions& options) {
  if (options.text) return describe_text_model(graph, options);
  const Links links = link(graph);
  const TensorId output = graph.outputs[0].tensor;
  const format::UnaryT* function = last_function(graph, links, output);
  const std::optional<Range> range = range_of(function);
  std::optional<format::ImageT> image = guess_image(graph, output, range);
  if (options.image) {
    const std::optional<format::ImageT> guess = image;
    image = options.image;
    if (image->low == image->high) {
      image->low = range.value_or(Range{}).low;
      image->high = range.value_or(Range{}).high;
    }
    if (image->height == 0) {
      if (!guess)
        throw ConvertError(
            "--range is given, but the output's shape does not tell its size; add --image");
      image->height = guess->height;
      image->width = guess->width;
      image->channels = guess->channels;
    }
  }

  ModelFacts facts;
  facts.kind = options.kind.value_or(guess_kind(graph, image.has_value(), function));
  const bool draws =
      facts.kind == format::ModelKind::Decoder || facts.kind == format::ModelKind::Generator;
  if (options.prior || (draws && !graph.inputs.empty())) {
    facts.prior = options.prior.value_or(format::PriorT{});
    if (facts.prior->size == 0 && !graph.inputs.empty())
      facts.prior->size =
          static_cast<std::int32_t>(graph.tensor(graph.inputs[0].tensor).shape.elements());
  }
  // What an encoder or a discriminator gives is no picture, whatever its shape.
  if (image && (draws || options.image || facts.kind == format::ModelKind::Other))
    facts.output_reading.Set(*image);
  facts.licence = options.licence;
  return facts;
}

}  // namespace figment::converter
