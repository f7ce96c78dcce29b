// Recurrent layers: RNN, GRU and LSTM, of several layers and both directions.
#include <cstring>
#include <optional>

#include "converter/import/torch/call.h"
#include "runtime/ops/recurrent_cells.h"

namespace figment::converter {
namespace {

using Kind = TorchValue::Kind;
using format::RecurrentCell;
using format::RecurrentDirection;

constexpr std::int64_t kMostLayers = 64;

// A layer's weights in one direction; biases may be absent.
struct Direction {
  TensorId weights = kAbsent, state_weights = kAbsent, bias = kAbsent, state_bias = kAbsent;
};

struct Recurrence {
  RecurrentCell cell = RecurrentCell::Lstm;
  std::optional<format::UnaryFunction> activation;  // of an RNN other than tanh
  bool batch_first = false;
  bool bidirectional = false;
  std::vector<std::vector<Direction>> layers;
  TensorId hidden = kAbsent, cell_state = kAbsent;  // [layers * directions, batch, H], or absent
};

int gates_of(RecurrentCell cell) {
  return cell == RecurrentCell::Lstm ? 4 : cell == RecurrentCell::Gru ? 3 : 1;
}

// Rows of gates in the runtime's order: LSTM i o f c of PyTorch's i f c o, GRU z r n of r z n.
TensorId ordered(TorchCall& call, RecurrentCell cell, TensorId weights) {
  const Shape shape = call.shape(weights);
  const int gates = gates_of(cell);
  if (gates == 1) return weights;
  constexpr int kLstm[] = {0, 3, 1, 2};
  constexpr int kGru[] = {1, 0, 2};
  const int* const order = cell == RecurrentCell::Lstm ? kLstm : kGru;
  const std::int64_t hidden = shape[0] / gates;
  std::vector<TensorId> parts(static_cast<std::size_t>(gates));
  for (int gate = 0; gate < gates; ++gate)
    parts[static_cast<std::size_t>(gate)] =
        call.part(weights, 0, order[gate] * hidden, (order[gate] + 1) * hidden);
  return call.concat(std::move(parts), 0);
}

// One axis in front, along which directions are put together.
TensorId in_front(TorchCall& call, std::vector<TensorId> parts) {
  for (TensorId& part : parts) {
    const Shape shape = call.shape(part);
    std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
    extents.insert(extents.begin(), 1);
    part = call.reshape_to(part, extents);
  }
  return call.concat(std::move(parts), 0);
}

void check(TorchCall& call, const Recurrence& plan, const Direction& direction, int inputs) {
  const int gates = gates_of(plan.cell);
  const Shape weights = call.shape(direction.weights), state = call.shape(direction.state_weights);
  call.require(
      weights.rank == 2 && weights[0] % gates == 0 && weights[0] > 0 && weights[1] == inputs,
      direction.weights, "its input has " + std::to_string(inputs) + " features");
  const int hidden = weights[0] / gates;
  call.require(state.rank == 2 && state[0] == weights[0] && state[1] == hidden,
               direction.state_weights, "it has a state of " + std::to_string(hidden));
  for (const TensorId bias : {direction.bias, direction.state_bias})
    if (bias != kAbsent)
      call.require(call.shape(bias).elements() == weights[0], bias,
                   "it has a state of " + std::to_string(hidden));
}

// A layer's part of the states given at the start: [directions, batch, H].
TensorId start_of(TorchCall& call, TensorId states, std::size_t layer, std::int64_t directions) {
  if (states == kAbsent) return kAbsent;
  const auto first = static_cast<std::int64_t>(layer) * directions;
  if (call.rank(states) != 3 || call.shape(states)[0] < first + directions)
    call.refuse("its first state has shape " + describe(call.shape(states)) +
                ", but must be [layers * directions, batch, hidden]");
  return call.part(states, 0, first, first + directions);
}

std::vector<TensorId> operands_of(TorchCall& call, const Recurrence& plan, std::size_t layer,
                                  TensorId x) {
  std::vector<TensorId> weights, state_weights, biases;
  for (const Direction& direction : plan.layers[layer]) {
    check(call, plan, direction, call.shape(x)[2]);
    weights.push_back(ordered(call, plan.cell, direction.weights));
    state_weights.push_back(ordered(call, plan.cell, direction.state_weights));
    if (direction.bias == kAbsent || direction.state_bias == kAbsent) continue;
    biases.push_back(call.concat(
        {ordered(call, plan.cell, direction.bias), ordered(call, plan.cell, direction.state_bias)},
        0));
  }
  const auto directions = static_cast<std::int64_t>(plan.layers[layer].size());
  std::vector<TensorId> operands = {x,
                                    in_front(call, weights),
                                    in_front(call, state_weights),
                                    biases.empty() ? kAbsent : in_front(call, biases),
                                    kAbsent,
                                    start_of(call, plan.hidden, layer, directions)};
  if (plan.cell == RecurrentCell::Lstm)
    operands.push_back(start_of(call, plan.cell_state, layer, directions));
  while (operands.back() == kAbsent) operands.pop_back();
  return operands;
}

format::RecurrentT options_of(const Recurrence& plan) {
  format::RecurrentT options;
  options.cell = plan.cell;
  options.direction =
      plan.bidirectional ? RecurrentDirection::Bidirectional : RecurrentDirection::Forward;
  options.reset_after = plan.cell == RecurrentCell::Gru;
  for (int index = 0; plan.activation && index < (plan.bidirectional ? 2 : 1); ++index) {
    auto unary = std::make_unique<format::UnaryT>();
    unary->function = *plan.activation;
    options.activations.push_back(std::move(unary));
  }
  return options;
}

// The list [y, h_n] or [y, h_n, c_n]. Nodes whose results nobody reads are swept away later.
TorchValue run(TorchCall& call, const Recurrence& plan) {
  TensorId x = call.tensor("input");
  if (call.rank(x) != 3)
    call.refuse("its input has shape " + describe(call.shape(x)) +
                ", but must be [steps, batch, features] (or batch_first)");
  if (plan.batch_first) x = call.transpose(x, {1, 0, 2});
  const Shape shape = call.shape(x);
  const int directions = plan.bidirectional ? 2 : 1;
  std::vector<TensorId> hidden, cells;
  for (std::size_t layer = 0; layer < plan.layers.size(); ++layer) {
    const std::vector<TensorId> operands = operands_of(call, plan, layer, x);
    const TensorId all = call.emit(options_of(plan), operands);  // [steps, directions, batch, H]
    const int units = call.shape(all)[3];
    // Forward the last step's state is the final one, in reverse the first step's.
    hidden.push_back(call.part(call.select_at(all, 0, shape[0] - 1), 0, 0, 1));  // [1, batch, H]
    if (directions == 2) hidden.push_back(call.part(call.select_at(all, 0, 0), 0, 1, 2));
    if (plan.cell == RecurrentCell::Lstm) {
      format::RecurrentT with_states = options_of(plan);
      with_states.final_states = true;
      const TensorId states = call.emit(std::move(with_states), operands);
      cells.push_back(call.select_at(states, 0, shape[0] + 1));
    }
    x = call.reshape_to(call.transpose(all, {0, 2, 1, 3}),
                        {shape[0], shape[1], directions * units});
  }
  std::vector<TensorId> results = {plan.batch_first ? call.transpose(x, {1, 0, 2}) : x,
                                   call.concat(hidden, 0)};
  if (plan.cell == RecurrentCell::Lstm) results.push_back(call.concat(cells, 0));
  return TorchValue::of_tensors(results);
}

// ---- Layers ----

template <RecurrentCell kCell>
TorchValue layer(TorchCall& call) {
  Recurrence plan;
  plan.cell = kCell;
  plan.batch_first = call.flag("batch_first");
  if (kCell == RecurrentCell::Rnn && call.text("nonlinearity") != "tanh") {
    if (call.text("nonlinearity") != "relu") call.refuse("its nonlinearity is unknown");
    plan.activation = format::UnaryFunction::Relu;
  }
  if (call.has_weight("weight_hr_l0")) call.refuse("proj_size is not supported");
  // As many layers and directions as the file has weights for.
  plan.bidirectional = call.has_weight("weight_ih_l0_reverse");
  for (std::int64_t index = 0;
       index == 0 ||
       (index < kMostLayers && call.has_weight("weight_ih_l" + std::to_string(index)));
       ++index) {
    std::vector<Direction>& directions = plan.layers.emplace_back();
    for (int way = 0; way < (plan.bidirectional ? 2 : 1); ++way) {
      const std::string suffix = "_l" + std::to_string(index) + (way == 0 ? "" : "_reverse");
      directions.push_back({call.weight("weight_ih" + suffix), call.weight("weight_hh" + suffix),
                            call.optional_weight("bias_ih" + suffix),
                            call.optional_weight("bias_hh" + suffix)});
    }
  }
  plan.hidden = call.optional_tensor("h_0");
  if (kCell == RecurrentCell::Lstm) plan.cell_state = call.optional_tensor("c_0");
  return run(call, plan);
}

// ---- Functions ----

template <RecurrentCell kCell, bool kRelu = false>
TorchValue function(TorchCall& call) {
  Recurrence plan;
  plan.cell = kCell;
  if (kRelu) plan.activation = format::UnaryFunction::Relu;
  plan.batch_first = call.flag("batch_first");
  plan.bidirectional = call.flag("bidirectional");
  if (call.flag("train") && call.number("dropout") != 0 && !call.options().for_training)
    call.refuse("it is in training mode; call model.eval() before torch.jit.trace");
  const std::vector<TensorId> weights = call.tensors("params");
  const std::size_t each = call.flag("has_biases") ? 4 : 2;
  const std::size_t ways = plan.bidirectional ? 2 : 1;
  const int layers = call.small_integer("num_layers", 1);
  if (layers > kMostLayers || weights.size() != each * ways * static_cast<std::size_t>(layers))
    call.refuse("it has " + std::to_string(weights.size()) +
                " tensors of weights, which does not go with its layers (proj_size is not "
                "supported)");
  for (std::size_t at = 0; at < weights.size(); at += each) {
    if (at % (each * ways) == 0) plan.layers.emplace_back();
    plan.layers.back().push_back({weights[at], weights[at + 1],
                                  each == 4 ? weights[at + 2] : kAbsent,
                                  each == 4 ? weights[at + 3] : kAbsent});
  }
  if (kCell == RecurrentCell::Lstm) {
    const std::vector<TensorId> states = call.tensors("hx");
    if (states.size() != 2) call.refuse("it must have two first states");
    plan.hidden = states[0];
    plan.cell_state = states[1];
  } else {
    plan.hidden = call.tensor("hx");
  }
  return run(call, plan);
}

constexpr char kSignature[] =
    "input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first";

constexpr TorchFunction kRows[] = {
    {"gru", kSignature, function<RecurrentCell::Gru>},
    {"lstm", kSignature, function<RecurrentCell::Lstm>},
    {"rnn_relu", kSignature, function<RecurrentCell::Rnn, true>},
    {"rnn_tanh", kSignature, function<RecurrentCell::Rnn>},
};

constexpr TorchFunction kLayers[] = {
    {"GRU",
     "input, h_0=None, "
     "input_size=None, hidden_size=None, num_layers=None, bias=None, batch_first=False, "
     "dropout=0, bidirectional=None",
     layer<RecurrentCell::Gru>},
    {"LSTM",
     "input, h_0=None, c_0=None, "
     "input_size=None, hidden_size=None, num_layers=None, bias=None, batch_first=False, "
     "dropout=0, bidirectional=None",
     layer<RecurrentCell::Lstm>},
    {"RNN",
     "input, h_0=None, nonlinearity='tanh', "
     "input_size=None, hidden_size=None, num_layers=None, bias=None, batch_first=False, "
     "dropout=0, bidirectional=None",
     layer<RecurrentCell::Rnn>},
};

}  // namespace

const std::span<const TorchFunction> kTorchRecurrent = kRows;
const std::span<const TorchFunction> kTorchRecurrentLayers = kLayers;

}  // namespace figment::converter
