// Recurrent layers: RNN, GRU and LSTM.
#include <algorithm>
#include <cctype>
#include <cstring>

#include "converter/import/onnx_families.h"
#include "converter/import/onnx_selection.h"
#include "runtime/ops/recurrent_cells.h"

namespace figment::converter {
namespace {

using format::RecurrentCell;
using format::RecurrentDirection;
using format::UnaryFunction;

// Operands stand in ONNX's order, which is the schema's.
using namespace ops;

// What ONNX calls an activation, and the parameters that it has when the node gives none.
struct Activation {
  const char* name;
  UnaryFunction function;
  bool reads_alpha, reads_beta;
  float alpha, beta;
};

constexpr Activation kActivations[] = {
    {"tanh", UnaryFunction::Tanh, false, false, 0, 0},
    {"sigmoid", UnaryFunction::Sigmoid, false, false, 0, 0},
    {"relu", UnaryFunction::Relu, false, false, 0, 0},
    {"softsign", UnaryFunction::Softsign, false, false, 0, 0},
    {"softplus", UnaryFunction::Softplus, false, false, 0, 0},
    {"leakyrelu", UnaryFunction::LeakyRelu, true, false, 0.01F, 0},
    {"thresholdedrelu", UnaryFunction::ThresholdedRelu, true, false, 1, 0},
    {"elu", UnaryFunction::Elu, true, false, 1, 0},
    {"hardsigmoid", UnaryFunction::HardSigmoid, true, true, 0.2F, 0.5F},
};

// ONNX reads the names in any case.
const Activation& find_activation(const OnnxNode& node, const std::string& name) {
  std::string lower = name;
  for (char& letter : lower)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  for (const Activation& row : kActivations)
    if (lower == row.name) return row;
  node.refuse("its activation '" + name +
              "' is not supported; export the model with Tanh, Sigmoid or Relu");
}

// The parameters of activations: one each, or one for each that reads it.
class Parameters {
 public:
  Parameters(const OnnxNode& node, const std::string& name, std::size_t activations)
      : values_(node.number_list(name).value_or(std::vector<float>{})),
        one_each_(values_.size() == activations) {}

  float take(std::size_t index, bool reads, float otherwise) {
    if (!reads) return 0;
    const std::size_t at = one_each_ ? index : taken_++;
    return at < values_.size() ? values_[at] : otherwise;
  }

 private:
  std::vector<float> values_;
  bool one_each_;
  std::size_t taken_ = 0;
};

void read_activations(const OnnxNode& node, format::RecurrentT& options) {
  const std::vector<std::string> names = node.text_list("activations");
  Parameters alphas(node, "activation_alpha", names.size());
  Parameters betas(node, "activation_beta", names.size());
  if (names.empty()) return;
  const int expected =
      recurrent_directions(options.direction) * recurrent_activations(options.cell);
  if (static_cast<int>(names.size()) != expected)
    node.refuse("it has " + std::to_string(names.size()) + " activations but must have " +
                std::to_string(expected) + "; the file is damaged");
  for (std::size_t index = 0; index < names.size(); ++index) {
    const Activation& row = find_activation(node, names[index]);
    auto unary = std::make_unique<format::UnaryT>();
    unary->function = row.function;
    unary->alpha = alphas.take(index, row.reads_alpha, row.alpha);
    unary->beta = betas.take(index, row.reads_beta, row.beta);
    options.activations.push_back(std::move(unary));
  }
}

RecurrentDirection read_direction(const OnnxNode& node) {
  const std::string direction = node.text("direction", "forward");
  if (direction == "forward") return RecurrentDirection::Forward;
  if (direction == "reverse") return RecurrentDirection::Reverse;
  if (direction == "bidirectional") return RecurrentDirection::Bidirectional;
  node.refuse("its direction '" + direction + "' is unknown; the file is damaged");
}

// A constant state of zeros is what an absent one means.
bool is_zero(const GraphTensor& tensor) {
  if (!tensor.constant() || tensor.type != DataType::kFloat32) return false;
  return std::all_of(tensor.floats(), tensor.floats() + tensor.shape.elements(),
                     [](float value) { return value == 0.0F; });
}

// Lengths that say of every sequence that it is whole.
bool is_whole(const GraphTensor& lengths, int steps) {
  if (!lengths.constant() || lengths.type != DataType::kInt32) return false;
  return std::all_of(lengths.integers(), lengths.integers() + lengths.shape.elements(),
                     [&](std::int32_t length) { return length == steps; });
}

format::RecurrentT read_options(const OnnxNode& node, RecurrentCell cell) {
  format::RecurrentT options;
  options.cell = cell;
  options.direction = read_direction(node);
  read_activations(node, options);
  options.clip = node.number_attribute("clip", 0);
  if (node.has("clip") && !(options.clip > 0))
    node.refuse("its clip is " + std::to_string(options.clip) + ", but must be positive");
  if (cell == RecurrentCell::Gru) options.reset_after = node.flag("linear_before_reset", false);
  if (cell == RecurrentCell::Lstm) options.couple_gates = node.flag("input_forget", false);
  return options;
}

// With layout 1 the batch stands before the steps, and before the directions.
void recurrent(OnnxNode& node, RecurrentCell cell) {
  format::RecurrentT options = read_options(node, cell);
  const bool batch_first = node.flag("layout", false);
  // Before opset 7: whether the sequence is wanted, which the output's name tells too.
  if (node.opset() < 7) node.ignore("output_sequence");

  std::vector<TensorId> inputs;
  const int last = cell == RecurrentCell::Lstm ? kRecurrentPeepholes : kRecurrentHidden;
  for (int index = kRecurrentX; index <= last; ++index)
    inputs.push_back(index <= kRecurrentStateWeights ? node.input(index)
                                                     : node.optional_input(index));
  for (const RecurrentOperand operand : {kRecurrentX, kRecurrentWeights, kRecurrentStateWeights})
    if (node.rank(inputs[operand]) != 3)
      node.refuse("its input " + std::to_string(operand) + " has shape " +
                  describe(node.shape(inputs[operand])) + " but must have 3 axes");
  if (const std::int64_t hidden = node.shape(inputs[kRecurrentStateWeights])[2];
      node.integer("hidden_size", hidden) != hidden)
    node.refuse("its hidden_size is not that of its weights; the file is damaged");
  if (batch_first) inputs[kRecurrentX] = node.transpose(inputs[kRecurrentX], {1, 0, 2});
  const int steps = node.shape(inputs[kRecurrentX])[0];
  if (inputs[kRecurrentLengths] != kAbsent &&
      is_whole(node.known(inputs[kRecurrentLengths]), steps))
    inputs[kRecurrentLengths] = kAbsent;
  for (int state = kRecurrentHidden; state <= std::min<int>(last, kRecurrentCell); ++state) {
    TensorId& input = inputs[static_cast<std::size_t>(state)];
    if (input == kAbsent) continue;
    if (is_zero(node.known(input)))
      input = kAbsent;
    else if (batch_first && node.rank(input) == 3)
      input = node.transpose(input, {1, 0, 2});
  }
  while (inputs.back() == kAbsent) inputs.pop_back();

  const int outputs = cell == RecurrentCell::Lstm ? 3 : 2;
  for (int index = 1; index < outputs; ++index)
    if (node.output_used(index)) options.final_states = true;
  const bool with_states = options.final_states;
  const TensorId all = node.emit(std::move(options), std::move(inputs));  // [steps+, D, batch, H]

  if (node.output_used(0)) {
    const TensorId sequence = with_states ? take_part(node, all, 0, 0, steps) : all;
    node.set_output(0, batch_first ? node.transpose(sequence, {2, 0, 1, 3}) : sequence);
  }
  for (int index = 1; index < outputs; ++index) {
    if (!node.output_used(index)) continue;
    format::GatherT gather;
    gather.axis = 0;
    const TensorId row = node.integer_constant({steps + index - 1}, Shape{});
    const TensorId state = node.emit(gather, {all, row});  // [D, batch, H]
    node.set_output(index, batch_first ? node.transpose(state, {1, 0, 2}) : state);
  }
}

void rnn(OnnxNode& node) { recurrent(node, RecurrentCell::Rnn); }
void gru(OnnxNode& node) { recurrent(node, RecurrentCell::Gru); }
void lstm(OnnxNode& node) { recurrent(node, RecurrentCell::Lstm); }

constexpr OnnxOperator kRows[] = {
    {"RNN", rnn},
    {"GRU", gru},
    {"LSTM", lstm},
};

}  // namespace

const std::span<const OnnxOperator> kOnnxRecurrent = kRows;

}  // namespace figment::converter
