// Arguments of PyTorch's functions, and what their operators are made of.
#include "converter/import/torch/call.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_map>

namespace figment::converter {

using Kind = TorchValue::Kind;

namespace {

TorchValue literal(std::string_view text) {
  if (text == "None") return {};
  if (text == "True" || text == "False") return TorchValue::of_bool(text == "True");
  if (text.starts_with('\''))
    return TorchValue::of_text(std::string(text.substr(1, text.size() - 2)));
  if (text == "[]") return TorchValue::of_list({});
  if (text.find('.') != std::string_view::npos || text.find('e') != std::string_view::npos) {
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return TorchValue::of_number(number);
  }
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return TorchValue::of_integer(number);
}

}  // namespace

std::vector<TorchParameter> parse_signature(std::string_view signature) {
  std::vector<TorchParameter> parameters;
  while (!signature.empty()) {
    const std::size_t comma = signature.find(", ");
    const std::string_view word = signature.substr(0, comma);
    const std::size_t equals = word.find('=');
    TorchParameter& parameter = parameters.emplace_back();
    parameter.name = std::string(word.substr(0, equals));
    if (equals != std::string_view::npos) parameter.otherwise = literal(word.substr(equals + 1));
    signature = comma == std::string_view::npos ? std::string_view{} : signature.substr(comma + 2);
  }
  return parameters;
}

// ---- Arguments ----

void TorchCall::wrong(const std::string& name, const std::string& wanted) const {
  refuse("its argument '" + name + "' must be " + wanted);
}

const TorchValue& TorchCall::argument(const std::string& name) const {
  static const TorchValue kNothing;
  const auto found = arguments_.find(name);
  return found != arguments_.end() ? found->second : kNothing;
}

bool TorchCall::given(const std::string& name) const { return !argument(name).is(Kind::kNone); }

TensorId TorchCall::as_tensor(const TorchValue& value) {
  if (value.is(Kind::kTensor)) return value.tensor;
  if (value.is(Kind::kInteger) || value.is(Kind::kBool)) return integer(value.integer);
  if (value.is(Kind::kNumber)) return scalar(static_cast<float>(value.number));
  refuse("it is given something that is no tensor; the file is damaged");
}

TensorId TorchCall::tensor(const std::string& name) {
  const TorchValue& value = argument(name);
  if (value.is(Kind::kNone)) refuse("it lacks its '" + name + "'");
  if (!value.is(Kind::kTensor) && !value.is_plain_number()) wrong(name, "a tensor");
  return as_tensor(value);
}

std::vector<TensorId> TorchCall::tensors(const std::string& name) {
  const TorchValue& value = argument(name);
  if (!value.is(Kind::kList)) wrong(name, "a list of tensors");
  std::vector<TensorId> ids;
  for (const TorchValue& item : value.items) {
    if (!item.is(Kind::kTensor)) wrong(name, "a list of tensors");
    ids.push_back(item.tensor);
  }
  return ids;
}

std::int64_t TorchCall::integer_argument(const std::string& name) const {
  const TorchValue& value = argument(name);
  if (value.is(Kind::kInteger) || value.is(Kind::kBool)) return value.integer;
  if (value.is(Kind::kList) && value.items.size() == 1 && value.items[0].is(Kind::kInteger))
    return value.items[0].integer;
  wrong(name, "a whole number");
}

int TorchCall::small_integer(const std::string& name, int low) const {
  return checked_int(integer_argument(name), name, low);
}

double TorchCall::number(const std::string& name) const {
  const TorchValue& value = argument(name);
  if (value.is_plain_number()) return value.as_number();
  if (value.is(Kind::kTensor) && constant(value.tensor) && shape(value.tensor).elements() == 1) {
    const GraphTensor& held = known(value.tensor);
    return held.type == DataType::kInt32 ? held.integers()[0]
                                         : static_cast<double>(held.floats()[0]);
  }
  wrong(name, "a number");
}

bool TorchCall::flag(const std::string& name) const {
  const TorchValue& value = argument(name);
  if (value.is(Kind::kBool) || value.is(Kind::kInteger)) return value.integer != 0;
  wrong(name, "true or false");
}

std::string TorchCall::text(const std::string& name) const {
  const TorchValue& value = argument(name);
  if (!value.is(Kind::kText)) wrong(name, "a text");
  return value.text;
}

std::vector<std::int64_t> TorchCall::integers(const std::string& name) const {
  const TorchValue& value = argument(name);
  if (value.is(Kind::kInteger)) return {value.integer};
  if (!value.is(Kind::kList)) wrong(name, "a list of whole numbers");
  std::vector<std::int64_t> numbers;
  for (const TorchValue& item : value.items) {
    if (!item.is(Kind::kInteger)) wrong(name, "a list of whole numbers");
    numbers.push_back(item.integer);
  }
  return numbers;
}

int TorchCall::axis(const std::string& name, int rank) const {
  return checked_axis(integer_argument(name), rank);
}

void TorchCall::per_axis(const std::string& name, int spatial_axes, int (&into)[2], int low) const {
  const std::vector<std::int64_t> values = integers(name);
  if (values.size() != 1 && values.size() != static_cast<std::size_t>(spatial_axes))
    wrong(name, "one number, or " + std::to_string(spatial_axes));
  for (int at = 0; at < spatial_axes; ++at)
    into[2 - spatial_axes + at] =
        checked_int(values[values.size() == 1 ? 0 : static_cast<std::size_t>(at)], name, low);
}

// ---- Weights ----

bool TorchCall::has_weight(const std::string& part) const {
  return weights_ != nullptr && weights_->has(prefix_ + part);
}

void TorchCall::ignore_weight(const std::string& part) const {
  if (weights_ != nullptr) weights_->mark_used(prefix_ + part);
}

TensorId TorchCall::optional_weight(const std::string& part, int axis) {
  const std::string name = prefix_ + part;
  if (weights_ != nullptr && weights_->has(name)) return weights_->add_to(graph(), name);
  TorchArray array;
  if (weights_ == nullptr || !weights_->put_together(prefix_, part, axis, array)) return kAbsent;
  return graph().add_constant(name, array.type, array.shape, std::move(array.bytes));
}

TensorId TorchCall::weight(const std::string& part, int axis) {
  const TensorId id = optional_weight(part, axis);
  if (id == kAbsent)
    refuse("the file has no tensor '" + prefix_ + part + "', which is its " + part +
           "; say where its weights are with \"weights\"");
  return id;
}

void TorchCall::require(bool fits, TensorId weight, const std::string& wanted) const {
  if (!fits)
    refuse("its tensor '" + NodeBuilder::tensor(weight).name + "' has the shape " +
           describe(shape(weight)) + ", but " + wanted);
}

// ---- Operators ----

TensorId TorchCall::require_integers(TensorId x) {
  if (type(x) == DataType::kInt32) return x;
  // Where the inputs' types are open, those from which x comes are whole numbers.
  std::set<TensorId> sources = {x};
  for (auto node = graph().nodes.rbegin(); node != graph().nodes.rend(); ++node)
    if (sources.contains(node->output)) sources.insert(node->inputs.begin(), node->inputs.end());
  bool found = false;
  for (const GraphPort& port : graph().inputs)
    if (context_.integer_inputs != nullptr && sources.contains(port.tensor))
      found = context_.integer_inputs->insert(port.name).second || found;
  if (found) throw TorchRestart{};
  refuse("its input has no whole numbers; say \"integers\": true of the network's input");
}

TensorId TorchCall::noise(const Shape& shape) {
  const int number = ++context_.noises;
  if (options().noise == NoiseHandling::kInput)
    return graph().add_input(number == 1 ? "noise" : "noise" + std::to_string(number),
                             DataType::kFloat32, shape);
  format::RandomNormalT options;
  options.seed = static_cast<std::uint32_t>(number);
  return emit(options, {}, shape);
}

TensorId TorchCall::part(TensorId x, int axis, std::int64_t start, std::int64_t end,
                         std::int64_t step) {
  const Shape whole = shape(x);
  if (start == 0 && end == whole[axis] && step == 1) return x;
  format::SliceT options;
  options.starts.assign(static_cast<std::size_t>(whole.rank), 0);
  options.sizes.assign(static_cast<std::size_t>(whole.rank), -1);
  options.steps.assign(static_cast<std::size_t>(whole.rank), 1);
  const auto at = static_cast<std::size_t>(axis);
  options.starts[at] = static_cast<std::int32_t>(start);
  options.sizes[at] = static_cast<std::int32_t>((end - start + step - 1) / step);
  options.steps[at] = static_cast<std::int32_t>(step);
  return emit(std::move(options), {x});
}

TensorId TorchCall::select_at(TensorId x, int axis, std::int64_t index) {
  const std::int64_t extent = shape(x)[axis];
  if (index < -extent || index >= extent)
    refuse("its index " + std::to_string(index) + " is outside an axis of " +
           std::to_string(extent));
  if (index < 0) index += extent;
  std::vector<std::int64_t> rest;
  for (int other = 0; other < rank(x); ++other)
    if (other != axis) rest.push_back(shape(x)[other]);
  return reshape_to(part(x, axis, index, index + 1), rest);
}

// ---- Tables ----

namespace {

using Rows = std::unordered_map<std::string, const TorchFunction*>;

Rows gather(std::initializer_list<std::span<const TorchFunction>> families) {
  Rows rows;
  for (const std::span<const TorchFunction> family : families)
    for (const TorchFunction& row : family) rows.emplace(row.name, &row);
  return rows;
}

const TorchFunction* find_row(const Rows& rows, const std::string& name) {
  const auto row = rows.find(name);
  return row != rows.end() ? row->second : nullptr;
}

}  // namespace

const TorchFunction* find_torch_function(const std::string& name) {
  static const Rows kRows = gather(
      {kTorchActivations, kTorchArithmetic, kTorchConvolution, kTorchNormalization, kTorchPictures,
       kTorchPooling, kTorchProducts, kTorchRecurrent, kTorchShapes, kTorchParts, kTorchCreation});
  const TorchFunction* const row = find_row(kRows, name);
  if (row != nullptr || !name.ends_with('_')) return row;
  return find_row(kRows, name.substr(0, name.size() - 1));
}

const TorchFunction* find_torch_layer(const std::string& name) {
  static const Rows kRows =
      gather({kTorchActivationLayers, kTorchConvolutionLayers, kTorchNormalizationLayers,
              kTorchPictureLayers, kTorchPoolingLayers, kTorchProductLayers, kTorchRecurrentLayers,
              kTorchShapeLayers});
  return find_row(kRows, name);
}

}  // namespace figment::converter
