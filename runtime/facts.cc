// What a model says of itself besides its graph: its kind, its prior, and how its first output is
// to be read. Checked once, at the border.
#include <cmath>

#include "runtime/model_view.h"

namespace figment {
namespace {

constexpr std::int32_t kLongestText = 1 << 16;
constexpr std::size_t kMostStates = 64;

Status check_image(const format::Image& image) {
  const bool sane = image.height() > 0 && image.width() > 0 && image.height() <= 1 << 16 &&
                    image.width() <= 1 << 16 && (image.channels() == 1 || image.channels() == 3) &&
                    std::isfinite(image.low()) && std::isfinite(image.high()) &&
                    image.low() < image.high();
  if (!sane)
    return bad_file({"the picture that the output is to be read as has no sound size or range"});
  return {};
}

const format::Tensor& tensor_of(const format::Model& root, const format::Port& port) {
  return *root.tensors()->Get(static_cast<flatbuffers::uoffset_t>(port.tensor()));
}

// The port `index` of `ports`; null when there is none.
const format::Port* port_at(const flatbuffers::Vector<flatbuffers::Offset<format::Port>>& ports,
                            std::int32_t index) {
  if (index < 0 || static_cast<std::size_t>(index) >= ports.size()) return nullptr;
  return ports.Get(static_cast<flatbuffers::uoffset_t>(index));
}

// Whether texts of a batch lie one after another along the first axis.
bool has_texts(const format::Model& root, const format::Tensor& tensor) {
  return tensor.batch_axis() == 0 || (tensor.batch_axis() == -1 && !root.any_batch());
}

Status check_logits(const format::Model& root, const format::Text& reading) {
  const format::Port& port = *root.outputs()->Get(0);
  const Tensor logits = tensor_view(root, port.tensor(), 1);
  const Shape& shape = logits.shape;
  const auto symbols = static_cast<std::int32_t>(reading.vocabulary()->size());
  if (logits.type != DataType::kFloat32 || (shape.rank != 2 && shape.rank != 3) || shape[0] != 1 ||
      !has_texts(root, tensor_of(root, port)))
    return bad_file({"the first output, of shape ", shape, ", gives no logits of a text"});
  if (shape[shape.rank - 1] != symbols)
    return bad_file({"the vocabulary has ", symbols, " symbols, but the first output gives ",
                     shape[shape.rank - 1], " logits"});
  const std::int32_t steps = shape.rank == 3 ? shape[1] : 1;
  if (reading.symbol_input() >= 0 && steps != 1)
    return bad_file(
        {"the text is made symbol by symbol, but the first output gives ", steps, " at once"});
  if (reading.symbol_input() < 0 && reading.length() > steps)
    return bad_file({"a text is up to ", reading.length(),
                     " symbols long, but the first output gives ", steps});
  return {};
}

Status check_symbol_input(const format::Model& root, const format::Text& reading) {
  const std::size_t states = reading.states() == nullptr ? 0 : reading.states()->size();
  if (reading.symbol_input() == -1)
    return states == 0 ? Status{}
                       : bad_file({"the text has states, but no input for the symbol before"});
  const format::Port* port = port_at(*root.inputs(), reading.symbol_input());
  if (port == nullptr)
    return bad_file({"the text's symbols are input ", reading.symbol_input(),
                     ", which the model does not have"});
  const Tensor symbol = tensor_view(root, port->tensor(), 1);
  if (symbol.type != DataType::kInt32 || symbol.elements() != 1 || symbol.shape.rank == 0 ||
      !has_texts(root, tensor_of(root, *port)))
    return bad_file(
        {"input ", text(port->name()), " takes no symbol: it must be int32, one a text"});
  if (reading.start() < 0)
    return bad_file({"the text is made symbol by symbol, but no symbol starts it"});
  return {};
}

// Whether two ports keep the source's axes in one order.
bool same_order(const format::Port& a, const format::Port& b, std::int32_t rank) {
  const auto source_axis = [](const format::Port& port, std::int32_t axis) {
    return port.source_axes() == nullptr
               ? axis
               : std::int32_t{port.source_axes()->Get(static_cast<flatbuffers::uoffset_t>(axis))};
  };
  for (std::int32_t axis = 0; axis < rank; ++axis)
    if (source_axis(a, axis) != source_axis(b, axis)) return false;
  return true;
}

Status check_states(const format::Model& root, const format::Text& reading) {
  if (reading.states() == nullptr) return {};
  const auto& states = *reading.states();
  if (states.size() > kMostStates)
    return bad_file(
        {"the text has ", std::size_t{states.size()}, " states, more than ", kMostStates});
  for (flatbuffers::uoffset_t i = 0; i < states.size(); ++i) {
    const format::Port* input = port_at(*root.inputs(), states.Get(i)->input());
    const format::Port* output = port_at(*root.outputs(), states.Get(i)->output());
    if (input == nullptr || output == nullptr)
      return bad_file({"a state of the text names an input or output that does not exist"});
    const Tensor taken = tensor_view(root, input->tensor(), 1);
    const Tensor given = tensor_view(root, output->tensor(), 1);
    if (!(taken.shape == given.shape) || taken.type != given.type ||
        tensor_of(root, *input).batch_axis() != tensor_of(root, *output).batch_axis() ||
        !same_order(*input, *output, taken.shape.rank))
      return bad_file({"the state that input ", text(input->name()), " takes, of shape ",
                       taken.shape, ", is not what output ", text(output->name()),
                       " gives, of shape ", given.shape});
    // States are copied one after another: what one gives must not be what another overwrites.
    for (const format::Port* port : *root.inputs())
      if (port->tensor() == output->tensor())
        return bad_file({"the state that output ", text(output->name()), " gives is an input"});
    for (flatbuffers::uoffset_t k = 0; k < i; ++k)
      if (states.Get(k)->input() == states.Get(i)->input())
        return bad_file({"two states of the text are input ", text(input->name())});
    if (states.Get(i)->input() == reading.symbol_input())
      return bad_file({"input ", text(input->name()), " takes both the symbol and a state"});
  }
  return {};
}

Status check_text(const format::Model& root, const format::Text& reading) {
  if (reading.vocabulary() == nullptr || reading.vocabulary()->size() == 0)
    return bad_file({"the text that the output is to be read as has no vocabulary"});
  const auto symbols = static_cast<std::int32_t>(reading.vocabulary()->size());
  for (const std::int32_t special : {reading.start(), reading.end()})
    if (special < -1 || special >= symbols)
      return bad_file({"a text starts or ends with symbol ", special, " of ", symbols});
  if (reading.length() < 1 || reading.length() > kLongestText)
    return bad_file(
        {"a text is up to ", reading.length(), " symbols long; sound are 1 to ", kLongestText});
  FIG_TRY(check_symbol_input(root, reading));
  FIG_TRY(check_logits(root, reading));
  return check_states(root, reading);
}

}  // namespace

Status check_facts(const format::Model& root) {
  if (root.kind() > format::ModelKind::Discriminator)
    return unsupported(
        {"the file is a kind of model that this runtime does not know; update Figment"});
  if (root.prior() != nullptr && root.prior()->distribution() > format::Distribution::Uniform)
    return unsupported(
        {"the latents' distribution is one that this runtime does not know; update Figment"});
  if (const format::Image* image = root.output_reading_as_Image()) return check_image(*image);
  if (const format::Text* reading = root.output_reading_as_Text())
    return check_text(root, *reading);
  return {};
}

Distribution Model::prior() const {
  return root_->prior() == nullptr ? Distribution::kNormal
                                   : static_cast<Distribution>(root_->prior()->distribution());
}

ImageReading Model::image() const {
  const format::Image* image = root_->output_reading_as_Image();
  if (image == nullptr) return {};
  return {image->height(), image->width(), image->channels(), image->low(), image->high()};
}

TextReading Model::text() const {
  const format::Text* reading = root_->output_reading_as_Text();
  if (reading == nullptr) return {};
  return {static_cast<std::int32_t>(reading->vocabulary()->size()), reading->length(),
          reading->start(), reading->end(), reading->symbol_input()};
}

std::string_view Model::symbol(int index) const {
  if (index < 0 || index >= text().vocabulary) return {};
  return figment::text(root_->output_reading_as_Text()->vocabulary()->Get(
      static_cast<flatbuffers::uoffset_t>(index)));
}

bool Model::is_latent(int index) const {
  const format::Text* reading = root_->output_reading_as_Text();
  if (reading == nullptr) return true;
  if (index == reading->symbol_input()) return false;
  if (reading->states() != nullptr)
    for (const format::TextState* state : *reading->states())
      if (state->input() == index) return false;
  return true;
}

}  // namespace figment
