// Gradients of recurrent layers: every cell, direction and option.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "tests/train/backward/room_run.h"

namespace figment::testing {
namespace {

using format::RecurrentCell;
using format::RecurrentDirection;
using format::UnaryFunction;
using enum format::RecurrentCell;

enum { kX, kWeights, kStateWeights, kBias, kLengths, kHidden, kCell, kPeepholes };

struct Layer {
  RecurrentCell cell = Rnn;
  RecurrentDirection direction = RecurrentDirection::Bidirectional;
  int steps = 3, batch = 2, inputs = 3, hidden = 5;
  bool reset_after = false, couple_gates = false, final_states = true;
  bool bias = true, states = true, peepholes = false;
  float clip = 0;
  std::vector<std::int32_t> lengths = {};
  std::vector<format::UnaryT> activations = {};

  int directions() const { return direction == RecurrentDirection::Bidirectional ? 2 : 1; }
  int gates() const { return cell == Rnn ? 1 : cell == Gru ? 3 : 4; }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double activated(const Layer& layer, int direction, int which, double x) {
  if (layer.activations.empty()) return layer.cell != Rnn && which == 0 ? sigmoid(x) : std::tanh(x);
  const int count = static_cast<int>(layer.cell) + 1;
  const format::UnaryT& unary =
      layer.activations[static_cast<std::size_t>(direction * count + which)];
  const double alpha = double{unary.alpha};
  switch (unary.function) {
    case UnaryFunction::Identity:
      return x;
    case UnaryFunction::Sigmoid:
      return sigmoid(x);
    case UnaryFunction::Tanh:
      return std::tanh(x);
    case UnaryFunction::Relu:
      return std::max(x, 0.0);
    case UnaryFunction::LeakyRelu:
      return x < 0 ? alpha * x : x;
    case UnaryFunction::Elu:
      return x < 0 ? alpha * std::expm1(x) : x;
    case UnaryFunction::HardSigmoid:
      return std::clamp(alpha * x + double{unary.beta}, 0.0, 1.0);
    case UnaryFunction::Softplus:
      return std::log1p(std::exp(x));
    case UnaryFunction::Softsign:
      return x / (1 + std::fabs(x));
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

// One sequence in one direction, as ONNX has the formulas.
struct Sequence {
  const Layer& layer;
  const Doubles& operands;
  int direction, sequence;
  std::vector<double> hidden = initial(kHidden), cell = initial(kCell);

  double at(int operand, std::int64_t index) const {
    const auto& values = operands[static_cast<std::size_t>(operand)];
    return values.empty() ? 0 : values[static_cast<std::size_t>(index)];
  }
  std::vector<double> initial(int operand) const {
    std::vector<double> values;
    for (int j = 0; j < layer.hidden; ++j)
      values.push_back(at(operand, (direction * layer.batch + sequence) * layer.hidden + j));
    return values;
  }
  std::int64_t row(int gate, int j) const {
    return (direction * layer.gates() + gate) * layer.hidden + j;
  }
  double from_input(int gate, int j, int position) const {
    double sum = at(kBias, 2 * direction * layer.gates() * layer.hidden + gate * layer.hidden + j);
    for (int k = 0; k < layer.inputs; ++k)
      sum += at(kX, (position * layer.batch + sequence) * layer.inputs + k) *
             at(kWeights, row(gate, j) * layer.inputs + k);
    return sum;
  }
  double from_state(int gate, int j, const std::vector<double>& state) const {
    double sum =
        at(kBias, (2 * direction + 1) * layer.gates() * layer.hidden + gate * layer.hidden + j);
    for (int k = 0; k < layer.hidden; ++k)
      sum +=
          state[static_cast<std::size_t>(k)] * at(kStateWeights, row(gate, j) * layer.hidden + k);
    return sum;
  }
  double active(int which, double x) const {
    if (layer.clip > 0) x = std::clamp(x, -double{layer.clip}, double{layer.clip});
    return activated(layer, direction, which, x);
  }
  double gate(int gate, int j, int position, const std::vector<double>& state,
              double further = 0) const {
    return active(0, from_input(gate, j, position) + from_state(gate, j, state) + further);
  }
  double peephole(int part, int j) const {
    return at(kPeepholes, (direction * 3 + part) * layer.hidden + j);
  }

  void step(int position) {
    const std::vector<double> before = hidden;
    for (int j = 0; j < layer.hidden; ++j) {
      double& h = hidden[static_cast<std::size_t>(j)];
      double& c = cell[static_cast<std::size_t>(j)];
      if (layer.cell == Rnn) {
        h = gate(0, j, position, before);
      } else if (layer.cell == Gru) {
        const double update = gate(0, j, position, before);
        std::vector<double> reset = before;
        if (!layer.reset_after)
          for (int k = 0; k < layer.hidden; ++k)
            reset[static_cast<std::size_t>(k)] *= gate(1, k, position, before);
        double state = from_state(2, j, reset);
        if (layer.reset_after) state *= gate(1, j, position, before);
        h = (1 - update) * active(1, from_input(2, j, position) + state) +
            update * before[static_cast<std::size_t>(j)];
      } else {
        const double input = gate(0, j, position, before, peephole(0, j) * c);
        const double forget =
            layer.couple_gates ? 1 - input : gate(2, j, position, before, peephole(2, j) * c);
        c = forget * c + input * active(1, from_input(3, j, position) + from_state(3, j, before));
        h = gate(1, j, position, before, peephole(1, j) * c) * activated(layer, direction, 2, c);
      }
    }
  }
};

std::vector<double> definition(const Layer& layer, const Doubles& operands) {
  const int states = !layer.final_states ? 0 : layer.cell == Lstm ? 2 : 1;
  std::vector<double> y(static_cast<std::size_t>((layer.steps + states) * layer.directions() *
                                                 layer.batch * layer.hidden));
  for (int direction = 0; direction < layer.directions(); ++direction)
    for (int sequence = 0; sequence < layer.batch; ++sequence) {
      const auto write = [&](int position, const std::vector<double>& values) {
        std::copy(
            values.begin(), values.end(),
            y.begin() + ((position * layer.directions() + direction) * layer.batch + sequence) *
                            layer.hidden);
      };
      const int length =
          layer.lengths.empty()
              ? layer.steps
              : std::clamp(layer.lengths[static_cast<std::size_t>(sequence)], 0, layer.steps);
      const bool reverse = direction == 1 || layer.direction == RecurrentDirection::Reverse;
      Sequence walk{layer, operands, direction, sequence};
      for (int i = 0; i < length; ++i) {
        const int position = reverse ? length - 1 - i : i;
        walk.step(position);
        write(position, walk.hidden);
      }
      if (states > 0) write(layer.steps, walk.hidden);
      if (states > 1) write(layer.steps + 1, walk.cell);
    }
  return y;
}

BackwardCase make_case(const Layer& layer) {
  format::RecurrentT table;
  table.cell = layer.cell;
  table.direction = layer.direction;
  table.reset_after = layer.reset_after;
  table.couple_gates = layer.couple_gates;
  table.final_states = layer.final_states;
  table.clip = layer.clip;
  for (const format::UnaryT& unary : layer.activations)
    table.activations.push_back(std::make_unique<format::UnaryT>(unary));
  BackwardCase test;
  test.options = options_of(std::move(table));
  const int directions = layer.directions();
  const int rows = layer.gates() * layer.hidden;
  const auto state = [&](bool given, std::uint32_t seed) {
    return given ? random_operand({directions, layer.batch, layer.hidden}, seed) : no_operand();
  };
  Operand lengths = no_operand();
  if (!layer.lengths.empty()) {
    lengths.shape = random_operand({layer.batch}, 1).shape;
    lengths.integers = layer.lengths;
  }
  test.operands = {
      random_operand({layer.steps, layer.batch, layer.inputs}, 1),
      random_operand({directions, rows, layer.inputs}, 2),
      random_operand({directions, rows, layer.hidden}, 3),
      layer.bias ? random_operand({directions, 2 * rows}, 4) : no_operand(),
      lengths,
      state(layer.states, 5),
      state(layer.states && layer.cell == Lstm, 6),
      layer.peepholes ? random_operand({directions, 3 * layer.hidden}, 7) : no_operand()};
  test.definition = [layer](const Doubles& operands) { return definition(layer, operands); };
  return test;
}

void check(const Layer& layer) {
  CAPTURE(static_cast<int>(layer.cell));
  CAPTURE(static_cast<int>(layer.direction));
  CAPTURE(layer.reset_after);
  check_backward(make_case(layer));
}

// Of every cell, and both kinds of Gru.
template <typename Function>
void for_each_cell(const Function& body) {
  for (const RecurrentCell cell : {Rnn, Gru, Lstm})
    for (const bool reset_after : {false, true})
      if (cell == Gru || !reset_after) body(Layer{.cell = cell, .reset_after = reset_after});
}

TEST_CASE("gradients of recurrent layers in every direction") {
  for_each_cell([](Layer layer) {
    for (const RecurrentDirection direction :
         {RecurrentDirection::Forward, RecurrentDirection::Reverse,
          RecurrentDirection::Bidirectional}) {
      layer.direction = direction;
      check(layer);
    }
  });
}

TEST_CASE("gradients of recurrent layers of awkward sizes") {
  for_each_cell([](Layer layer) {
    layer.direction = RecurrentDirection::Forward;
    layer.steps = layer.batch = layer.inputs = layer.hidden = 1;
    check(layer);
    layer.batch = 3;
    layer.hidden = 9;
    check(layer);
  });
}

TEST_CASE(
    "gradients of recurrent layers without bias, without initial states, of the sequence "
    "alone") {
  for_each_cell([](Layer layer) {
    layer.bias = layer.states = layer.final_states = false;
    check(layer);
  });
}

TEST_CASE("gradients of sequences that end where their lengths say") {
  for_each_cell([](Layer layer) {
    layer.batch = 4;
    layer.hidden = 3;
    layer.lengths = {3, 1, -1, 9};
    check(layer);
    layer.final_states = false;
    layer.states = false;
    check(layer);
  });
}

TEST_CASE("gradients of gates that are clipped") {
  for_each_cell([](Layer layer) {
    layer.clip = 0.4F;
    check(layer);
  });
}

TEST_CASE("gradients of peepholes, coupled gates, and both") {
  for (const bool peepholes : {false, true})
    for (const bool couple_gates : {false, true}) {
      Layer layer{.cell = Lstm, .couple_gates = couple_gates, .peepholes = peepholes};
      check(layer);
      layer.clip = 0.5F;
      layer.lengths = {2, 3};
      check(layer);
    }
}

format::UnaryT unary(UnaryFunction function, float alpha = 0, float beta = 0) {
  format::UnaryT result;
  result.function = function;
  result.alpha = alpha;
  result.beta = beta;
  return result;
}

TEST_CASE("gradients of activations other than usual") {
  const format::UnaryT others[] = {unary(UnaryFunction::HardSigmoid, 0.2F, 0.5F),
                                   unary(UnaryFunction::LeakyRelu, 0.1F),
                                   unary(UnaryFunction::Softsign),
                                   unary(UnaryFunction::Identity),
                                   unary(UnaryFunction::Elu, 0.7F),
                                   unary(UnaryFunction::Relu),
                                   unary(UnaryFunction::Softplus),
                                   unary(UnaryFunction::Tanh)};
  for_each_cell([&](Layer layer) {
    const std::ptrdiff_t count = 2 * (static_cast<int>(layer.cell) + 1);
    for (const std::ptrdiff_t first : {0, 2, 3, 5}) {
      layer.activations.clear();
      for (std::ptrdiff_t i = 0; i < count; ++i)
        layer.activations.push_back(others[(first + i) % 8]);
      layer.clip = first == 3 ? 0.6F : 0.0F;
      check(layer);
    }
  });
}

TEST_CASE("activations whose slope cannot be told from their value are refused") {
  const auto refusal = [](const Layer& layer) {
    const BackwardCase test = make_case(layer);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(flatbuffers::Offset<void>(test.options.Pack(builder)));
    train::Call call;
    call.operation.options = flatbuffers::GetRoot<std::byte>(builder.GetBufferPointer());
    const char* why = train::kBackwardRooms[static_cast<int>(test.options.type)]->refuses(call);
    return std::string(why != nullptr ? why : "");
  };
  Layer layer;
  CHECK(refusal(layer).empty());
  layer.activations = {unary(UnaryFunction::Relu), unary(UnaryFunction::Sin)};
  CHECK(refusal(layer) == "an activation whose slope its value does not tell");
  layer.activations = {unary(UnaryFunction::LeakyRelu, -1), unary(UnaryFunction::Tanh)};
  CHECK(refusal(layer) == "an activation whose alpha is not positive");
}

TEST_CASE("recurrent layers where threads share the work") {
  for_each_cell([](Layer layer) {
    layer.batch = 70;
    layer.hidden = layer.cell == Rnn ? 250 : 90;
    check_threads(make_case(layer));
  });
}

TEST_CASE("recurrent layers give PyTorch's gradients") {
  for (const RecurrentCell cell : {Rnn, Gru, Lstm}) {
    const Goldens goldens(cell == Rnn ? "norm_rnn" : cell == Gru ? "norm_gru" : "norm_lstm");
    BackwardCase test = make_case({.cell = cell, .reset_after = cell == Gru});
    test.operands = {goldens.at("x"),    goldens.at("weights"), goldens.at("state_weights"),
                     goldens.at("bias"), no_operand(),          goldens.at("h")};
    if (cell == Lstm) test.operands.push_back(goldens.at("c"));
    RoomRun run(test);
    run.forward();
    goldens.check("y", run.output());
    run.backward(goldens.at("dy").values);
    goldens.check("dx", run.gradient(kX));
    goldens.check("dweights", run.gradient(kWeights));
    goldens.check("dstate_weights", run.gradient(kStateWeights));
    goldens.check("dbias", run.gradient(kBias));
    goldens.check("dh", run.gradient(kHidden));
    if (cell == Lstm) goldens.check("dc", run.gradient(kCell));
  }
}

}  // namespace
}  // namespace figment::testing
