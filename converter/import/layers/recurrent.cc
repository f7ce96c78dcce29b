// Recurrent layers, and wrappers around layers for sequences.
#include <nlohmann/json.hpp>
#include <numeric>

#include "converter/import/layers/layer_node.h"

namespace figment::converter {
namespace {

using format::BinaryFunction;
using format::RecurrentCell;
using format::RecurrentDirection;
using format::UnaryFunction;

struct Cell {
  RecurrentCell cell;
  int gates;
};

Cell cell_of(const LayerNode& node, const std::string& class_name) {
  if (class_name == "LSTM") return {RecurrentCell::Lstm, 4};
  if (class_name == "GRU") return {RecurrentCell::Gru, 3};
  if (class_name == "SimpleRNN") return {RecurrentCell::Rnn, 1};
  node.refuse("the layer '" + class_name + "' inside it is not supported; use LSTM or GRU");
}

// An activation as the recurrent operator has it: those of one number without further operators.
std::unique_ptr<format::UnaryT> read_activation(const LayerNode& node, const char* setting,
                                                const std::string& otherwise) {
  const std::string name = node.text_setting({setting}, otherwise);
  auto unary = std::make_unique<format::UnaryT>();
  if (name == "tanh") {
    unary->function = UnaryFunction::Tanh;
  } else if (name == "sigmoid") {
    unary->function = UnaryFunction::Sigmoid;
  } else if (name == "relu") {
    unary->function = UnaryFunction::Relu;
  } else if (name == "elu") {
    unary->function = UnaryFunction::Elu;
    unary->alpha = 1;
  } else if (name == "softsign") {
    unary->function = UnaryFunction::Softsign;
  } else if (name == "softplus") {
    unary->function = UnaryFunction::Softplus;
  } else if (name == "hard_sigmoid") {
    unary->function = UnaryFunction::HardSigmoid;
    unary->alpha = node.context().dialect.keras >= 3 ? 1.0F / 6 : 0.2F;
    unary->beta = 0.5F;
  } else {
    node.refuse("its activation '" + name + "' is not supported; train it with tanh and sigmoid");
  }
  return unary;
}

// Keras has an LSTM's gates as i f c o, the operator as i o f c. `axis` holds the gates.
TensorId order_gates(LayerNode& node, const Cell& cell, TensorId x, int axis, int hidden) {
  if (cell.cell != RecurrentCell::Lstm) return x;
  const auto gate = [&](int index) {
    format::SliceT options;
    const auto rank = static_cast<std::size_t>(node.rank(x));
    options.starts.assign(rank, 0);
    options.sizes.assign(rank, -1);
    options.steps.assign(rank, 1);
    options.starts[static_cast<std::size_t>(axis)] = index * hidden;
    options.sizes[static_cast<std::size_t>(axis)] = hidden;
    return node.emit(std::move(options), {x});
  };
  format::ConcatT options;
  options.axis = axis;
  return node.emit(options, {gate(0), gate(3), gate(1), gate(2)});
}

// A bias [1, gates*hidden], beside none of the state's: [1, 2*gates*hidden].
TensorId whole_bias(LayerNode& node, const Cell& cell, TensorId bias, int hidden) {
  const int width = cell.gates * hidden;
  const TensorId own = order_gates(node, cell, bias, 1, hidden);
  const TensorId none = node.float_constant(std::vector<float>(static_cast<std::size_t>(width), 0),
                                            make_shape({1, width}));
  format::ConcatT options;
  options.axis = 1;
  return node.emit(options, {own, none});
}

// bias [gates*hidden], or [2, gates*hidden] where the state has its own -> [1, 2*gates*hidden]
TensorId read_bias(LayerNode& node, const Cell& cell, int hidden) {
  const TensorId raw = node.weight_of_any_rank("bias");
  const std::int64_t width = std::int64_t{cell.gates} * hidden;
  if (node.shape(raw).elements() == 2 * width) return node.reshape_to(raw, {1, 2 * width});
  if (node.shape(raw).elements() != width)
    node.refuse("its bias has shape " + describe(node.shape(raw)) + ", but must have " +
                std::to_string(width) + " numbers; the file is damaged");
  return whole_bias(node, cell, node.reshape_to(raw, {1, width}), hidden);
}

struct CellWeights {
  TensorId kernel, state_kernel;  // [gates*H, inputs], [gates*H, H], gates in Keras's order
  TensorId bias;                  // or kAbsent, as read_bias() gives it
  int hidden;
};

// Keras 1 has a kernel, a state kernel and a bias for each gate, an LSTM's as i c f o.
CellWeights read_by_gate(LayerNode& node, const Cell& cell) {
  std::vector<TensorId> kernels, state_kernels, biases;
  for (int gate = 0; gate < cell.gates; ++gate) {
    kernels.push_back(node.weight("kernel", 2, {1, 0}));
    state_kernels.push_back(node.weight("recurrent_kernel", 2, {1, 0}));
    biases.push_back(node.weight("bias", 1));
  }
  const int hidden = node.shape(state_kernels[0])[1];
  for (int gate = 0; gate < cell.gates; ++gate) {
    const auto at = static_cast<std::size_t>(gate);
    if (!(node.shape(kernels[at]) == node.shape(kernels[0])) ||
        node.shape(kernels[at])[0] != hidden || node.shape(biases[at])[0] != hidden ||
        !(node.shape(state_kernels[at]) == make_shape({hidden, hidden})))
      node.refuse("its weights have shapes that do not go together; the file is damaged");
  }
  const auto together = [&](std::vector<TensorId> parts) {
    if (cell.cell == RecurrentCell::Lstm) std::swap(parts[1], parts[2]);
    format::ConcatT options;
    options.axis = 0;
    return node.emit(options, std::move(parts));
  };
  const int width = cell.gates * hidden;
  return {together(kernels), together(state_kernels),
          whole_bias(node, cell, node.reshape_to(together(biases), {1, width}), hidden), hidden};
}

CellWeights read_weights(LayerNode& node, const Cell& cell, bool first) {
  // Of one direction, and where there are two, of both before the first.
  const std::size_t by_gate = std::size_t{3} * static_cast<std::size_t>(cell.gates);
  const std::size_t left = node.weights_left();
  if (cell.gates > 1 && (left == by_gate || (first && left == 2 * by_gate)))
    return read_by_gate(node, cell);
  CellWeights weights{};
  weights.kernel = node.weight("kernel", 2, {1, 0});
  weights.state_kernel = node.weight("recurrent_kernel", 2, {1, 0});
  weights.hidden = node.shape(weights.state_kernel)[1];
  if (node.shape(weights.state_kernel)[0] != std::int64_t{cell.gates} * weights.hidden ||
      node.shape(weights.kernel)[0] != node.shape(weights.state_kernel)[0])
    node.refuse("its weights have shapes that do not go together; the file is damaged");
  const bool biased = node.flag({"use_bias"}, true);
  weights.bias = biased ? read_bias(node, cell, weights.hidden) : kAbsent;
  return weights;
}

TensorId slice_steps(LayerNode& node, TensorId x, int axis, int start, int size, int step = 1) {
  format::SliceT options;
  const auto rank = static_cast<std::size_t>(node.rank(x));
  options.starts.assign(rank, 0);
  options.sizes.assign(rank, -1);
  options.steps.assign(rank, 1);
  options.starts[static_cast<std::size_t>(axis)] = start;
  options.sizes[static_cast<std::size_t>(axis)] = size;
  options.steps[static_cast<std::size_t>(axis)] = step;
  return node.emit(std::move(options), {x});
}

struct Run {
  TensorId sequence, last, cell;  // [N, steps, H] in the order of the steps; [N, H]
};

// One direction over x [N, steps, inputs]; `states` are initial ones [N, H], or none. The settings
// are those of `node`, which may be a wrapper's inner layer.
Run run_direction(LayerNode& node, const Cell& cell, TensorId x, bool backwards,
                  std::span<const TensorId> states, bool want_cell) {
  if (node.rank(x) != 3)
    node.refuse("its input has shape " + describe(node.shape(x)) +
                ", but must be samples, steps, numbers");
  if (node.flag({"time_major"}, false)) node.refuse("its time_major is not supported");
  const CellWeights weights = read_weights(node, cell, !backwards);
  // [1, gates*H, inputs]
  const auto direction_first = [&](TensorId matrix) {
    const TensorId ordered = order_gates(node, cell, matrix, 0, weights.hidden);
    const Shape shape = node.shape(ordered);
    return node.reshape_to(ordered, {1, shape[0], shape[1]});
  };

  format::RecurrentT options;
  options.cell = cell.cell;
  options.direction = backwards ? RecurrentDirection::Reverse : RecurrentDirection::Forward;
  if (cell.cell != RecurrentCell::Rnn)
    options.activations.push_back(read_activation(node,
                                                  node.find({"recurrent_activation"}) != nullptr
                                                      ? "recurrent_activation"
                                                      : "inner_activation",
                                                  "sigmoid"));
  options.activations.push_back(read_activation(node, "activation", "tanh"));
  if (cell.cell == RecurrentCell::Lstm)
    options.activations.push_back(read_activation(node, "activation", "tanh"));
  if (cell.cell == RecurrentCell::Gru) {
    // Keras 3 and TensorFlow 2 have it on unless they say otherwise; a bias of two rows shows it.
    options.reset_after = node.flag({"reset_after"}, node.context().dialect.keras >= 3);
  }
  options.final_states = want_cell;

  std::vector<TensorId> inputs = {node.transpose(x, {1, 0, 2}), direction_first(weights.kernel),
                                  direction_first(weights.state_kernel), weights.bias};
  if (!states.empty()) {
    inputs.push_back(kAbsent);  // lengths: all sequences are whole
    for (const TensorId state : states) {
      const Shape shape = node.shape(state);
      if (shape.rank != 2) node.refuse("its initial states must have 2 axes");
      inputs.push_back(node.reshape_to(state, {1, shape[0], shape[1]}));
    }
  }
  while (inputs.back() == kAbsent) inputs.pop_back();
  const int steps = node.shape(inputs[0])[0];
  const TensorId all = node.emit(std::move(options), std::move(inputs));  // [steps+, 1, N, H]
  const Shape shape = node.shape(all);
  const auto step_at = [&](int at) {
    return node.reshape_to(slice_steps(node, all, 0, at, 1), {shape[2], shape[3]});
  };
  Run run{};
  const TensorId whole = want_cell ? slice_steps(node, all, 0, 0, steps) : all;
  run.sequence = node.transpose(node.reshape_to(whole, {steps, shape[2], shape[3]}), {1, 0, 2});
  run.last = step_at(backwards ? 0 : steps - 1);
  run.cell = want_cell ? step_at(steps + 1) : kAbsent;
  return run;
}

// x, then initial states.
void recurrent(LayerNode& node) {
  if (node.inputs().empty()) node.refuse("it has no inputs; the file is damaged");
  const Cell cell = cell_of(node, node.kind());
  const bool backwards = node.flag({"go_backwards"}, false);
  const bool return_state = node.flag({"return_state"}, false);
  const bool want_cell = return_state && cell.cell == RecurrentCell::Lstm;
  const Run run =
      run_direction(node, cell, node.inputs()[0], backwards, node.inputs().subspan(1), want_cell);
  TensorId y = run.last;
  if (node.flag({"return_sequences"}, false)) {
    y = run.sequence;
    // Keras gives the steps in the order in which they ran.
    if (backwards) y = slice_steps(node, y, 1, node.shape(y)[1] - 1, -1, -1);
  }
  std::vector<TensorId> outputs = {y};
  if (return_state) outputs.push_back(run.last);
  if (want_cell) outputs.push_back(run.cell);
  node.set_outputs(std::move(outputs));
}

// A layer over the sequence and one over its reverse.
void bidirectional(LayerNode& node) {
  const nlohmann::json* layer = node.find({"layer"});
  if (layer == nullptr || !layer->is_object() || !layer->contains("config") ||
      !layer->contains("class_name") || !layer->at("class_name").is_string() ||
      !layer->at("config").is_object())
    node.refuse("the layer inside it is unreadable; the file is damaged");
  const Cell cell = cell_of(node, layer->at("class_name").get<std::string>());
  const TensorId x = node.input();
  Run runs[2];
  bool sequences = false;
  node.with_settings_of(layer->at("config"), [&](LayerNode& inner) {
    if (inner.flag({"return_state"}, false))
      inner.refuse("its final states are not supported; train it with return_state=False");
    if (inner.flag({"go_backwards"}, false))
      inner.refuse("a layer that goes backwards is not supported inside it");
    sequences = inner.flag({"return_sequences"}, false);
    runs[0] = run_direction(inner, cell, x, false, {}, false);
    runs[1] = run_direction(inner, cell, x, true, {}, false);
  });
  const TensorId forward = sequences ? runs[0].sequence : runs[0].last;
  const TensorId back = sequences ? runs[1].sequence : runs[1].last;
  if (const auto mode = node.config().find("merge_mode");
      mode != node.config().end() && mode->is_null())
    return node.set_outputs({forward, back});
  const std::string mode = node.text_setting({"merge_mode"}, "concat");
  if (mode == "concat") {
    format::ConcatT options;
    options.axis = node.rank(forward) - 1;
    return node.set_output(node.emit(options, {forward, back}));
  }
  if (mode == "mul") return node.set_output(node.binary(BinaryFunction::Mul, forward, back));
  const TensorId sum = node.binary(BinaryFunction::Add, forward, back);
  if (mode == "sum") return node.set_output(sum);
  if (mode == "ave")
    return node.set_output(node.binary(BinaryFunction::Mul, sum, node.scalar(0.5F)));
  node.refuse("its merge_mode '" + mode + "' is unknown; the file is damaged");
}

// One layer for every step: steps stand among the samples meanwhile.
void time_distributed(LayerNode& node) {
  const nlohmann::json* layer = node.find({"layer"});
  if (layer == nullptr) node.refuse("the layer inside it is missing; the file is damaged");
  const TensorId x = node.input();
  const Shape from = node.shape(x);
  if (from.rank < 3) node.refuse("its input must have 3 axes or more");
  std::vector<std::int64_t> merged = {std::int64_t{from[0]} * from[1]};
  for (int axis = 2; axis < from.rank; ++axis) merged.push_back(from[axis]);
  const std::vector<TensorId> outputs = node.import_inner(*layer, {node.reshape_to(x, merged)});
  if (outputs.size() != 1) node.refuse("the layer inside it must have one output");
  const Shape inner = node.shape(outputs[0]);
  std::vector<std::int64_t> to = {from[0], from[1]};
  for (int axis = 1; axis < inner.rank; ++axis) to.push_back(inner[axis]);
  node.set_output(node.reshape_to(outputs[0], to));
}

constexpr LayerRow kRows[] = {
    {"Bidirectional", bidirectional},
    {"GRU", recurrent},
    {"LSTM", recurrent},
    {"SimpleRNN", recurrent},
    {"TimeDistributed", time_distributed},
};

}  // namespace

const std::span<const LayerRow> kRecurrentLayers = kRows;

}  // namespace figment::converter
