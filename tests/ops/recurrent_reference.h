// What recurrent layers compute, in double precision, with ONNX's formulas; for their tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "tests/ops/operands.h"

namespace figment::testing {

using format::RecurrentCell;
using format::RecurrentDirection;
using format::UnaryFunction;

struct Sizes {
  int steps, batch, inputs, hidden;
};

// A layer with its operands; absent ones have rank -1.
struct Layer {
  RecurrentCell cell;
  RecurrentDirection direction = RecurrentDirection::Forward;
  Sizes size = {4, 3, 5, 7};
  bool reset_after = false, couple_gates = false, final_states = true;
  float clip = 0;
  std::vector<format::UnaryT> activations = {};
  TestTensor x = {}, weights = {}, state_weights = {};
  TestTensor bias = absent(), lengths = absent(), hidden = absent(), memory = absent(),
             peepholes = absent();

  int directions() const { return direction == RecurrentDirection::Bidirectional ? 2 : 1; }
  int gates() const { return cell == RecurrentCell::Rnn ? 1 : cell == RecurrentCell::Gru ? 3 : 4; }
  int activation_count() const { return static_cast<int>(cell) + 1; }
};

// Random operands; bias too, which every test has unless it says otherwise.
inline Layer make_layer(RecurrentCell cell, Sizes size = {4, 3, 5, 7},
                        RecurrentDirection direction = RecurrentDirection::Bidirectional,
                        DataType type = DataType::kFloat32) {
  Layer layer{.cell = cell, .direction = direction, .size = size};
  const int rows = layer.gates() * size.hidden;
  layer.x = fixed_input(shape_of({size.steps, size.batch, size.inputs}), 11);
  layer.weights = constant(shape_of({layer.directions(), rows, size.inputs}), 12, type);
  layer.state_weights = constant(shape_of({layer.directions(), rows, size.hidden}), 13, type);
  layer.bias = constant(shape_of({layer.directions(), 2 * rows}), 14);
  return layer;
}

inline TestTensor initial_state(const Layer& layer, std::uint32_t seed) {
  return fixed_input(shape_of({layer.directions(), layer.size.batch, layer.size.hidden}), seed);
}

inline TestTensor peepholes_of(const Layer& layer) {
  return constant(shape_of({layer.directions(), 3 * layer.size.hidden}), 17);
}

inline TestTensor lengths_of(std::vector<std::int32_t> lengths) {
  TestTensor tensor;
  tensor.shape = shape_of({static_cast<std::int32_t>(lengths.size())});
  tensor.type = DataType::kInt32;
  tensor.integers = std::move(lengths);
  return tensor;
}

inline format::OperatorOptionsUnion options_for(const Layer& layer) {
  format::RecurrentT options;
  options.cell = layer.cell;
  options.direction = layer.direction;
  options.reset_after = layer.reset_after;
  options.couple_gates = layer.couple_gates;
  options.final_states = layer.final_states;
  options.clip = layer.clip;
  for (const format::UnaryT& unary : layer.activations)
    options.activations.push_back(std::make_unique<format::UnaryT>(unary));
  return options_of(std::move(options));
}

inline std::vector<TestTensor> operands_of(const Layer& layer) {
  return {layer.x,       layer.weights, layer.state_weights, layer.bias,
          layer.lengths, layer.hidden,  layer.memory,        layer.peepholes};
}

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline double activated(const Layer& layer, int direction, int index, double x) {
  const int at = direction * layer.activation_count() + index;
  if (layer.activations.empty())
    return layer.cell != RecurrentCell::Rnn && index == 0 ? sigmoid(x) : std::tanh(x);
  const format::UnaryT& unary = layer.activations[at];
  switch (unary.function) {
    case UnaryFunction::Sigmoid:
      return sigmoid(x);
    case UnaryFunction::Tanh:
      return std::tanh(x);
    case UnaryFunction::Relu:
      return std::max(x, 0.0);
    case UnaryFunction::LeakyRelu:
      return x < 0 ? unary.alpha * x : x;
    case UnaryFunction::HardSigmoid:
      return std::clamp(unary.alpha * x + unary.beta, 0.0, 1.0);
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

// One sequence in one direction, as ONNX has the formulas.
class Reference {
 public:
  Reference(const Layer& layer, int direction, int sequence)
      : layer_(layer),
        direction_(direction),
        sequence_(sequence),
        hidden_(initial(layer.hidden)),
        memory_(initial(layer.memory)) {}

  const std::vector<double>& hidden() const { return hidden_; }
  const std::vector<double>& memory() const { return memory_; }

  void step(int position) {
    const int count = layer_.size.hidden;
    const std::vector<double> before = hidden_, cell = memory_;
    for (int j = 0; j < count; ++j) {
      if (layer_.cell == RecurrentCell::Rnn) {
        hidden_[j] = active(0, from_input(0, j, position) + from_state(0, j, before));
      } else if (layer_.cell == RecurrentCell::Gru) {
        const double update = gate(0, j, position, before);
        double candidate = from_input(2, j, position);
        if (layer_.reset_after) {
          candidate += gate(1, j, position, before) * from_state(2, j, before);
        } else {
          std::vector<double> reset = before;
          for (int k = 0; k < count; ++k) reset[k] *= gate(1, k, position, before);
          candidate += from_state(2, j, reset);
        }
        hidden_[j] = (1 - update) * active(1, candidate) + update * before[j];
      } else {
        const double input = gate(0, j, position, before, peephole(0, j) * cell[j]);
        const double forget = layer_.couple_gates
                                  ? 1 - input
                                  : gate(2, j, position, before, peephole(2, j) * cell[j]);
        const double candidate = active(1, from_input(3, j, position) + from_state(3, j, before));
        memory_[j] = forget * cell[j] + input * candidate;
        const double output = gate(1, j, position, before, peephole(1, j) * memory_[j]);
        hidden_[j] = output * activated(layer_, direction_, 2, memory_[j]);
      }
    }
  }

 private:
  std::vector<double> initial(const TestTensor& state) const {
    std::vector<double> values(static_cast<std::size_t>(layer_.size.hidden), 0.0);
    if (state.shape.rank < 0) return values;
    const std::size_t first =
        (static_cast<std::size_t>(direction_) * layer_.size.batch + sequence_) * layer_.size.hidden;
    for (std::size_t j = 0; j < values.size(); ++j) values[j] = double{state.values[first + j]};
    return values;
  }

  // Row `j` of `gate` among all directions' rows of the weights.
  std::size_t row(int gate, int j) const {
    return (static_cast<std::size_t>(direction_) * layer_.gates() + gate) * layer_.size.hidden + j;
  }
  double bias(int part, int gate, int j) const {
    if (layer_.bias.shape.rank < 0) return 0;
    const int rows = layer_.gates() * layer_.size.hidden;
    return double{
        layer_.bias.values[(direction_ * 2 + part) * rows + gate * layer_.size.hidden + j]};
  }
  double peephole(int part, int j) const {
    if (layer_.peepholes.shape.rank < 0) return 0;
    return double{layer_.peepholes.values[(direction_ * 3 + part) * layer_.size.hidden + j]};
  }

  double from_input(int gate, int j, int position) const {
    const int inputs = layer_.size.inputs;
    double sum = bias(0, gate, j);
    for (int k = 0; k < inputs; ++k)
      sum += double{layer_.x.values[(position * layer_.size.batch + sequence_) * inputs + k]} *
             double{layer_.weights.values[row(gate, j) * inputs + k]};
    return sum;
  }
  double from_state(int gate, int j, const std::vector<double>& state) const {
    double sum = bias(1, gate, j);
    for (std::size_t k = 0; k < state.size(); ++k)
      sum += state[k] * double{layer_.state_weights.values[row(gate, j) * state.size() + k]};
    return sum;
  }
  double active(int index, double x) const {
    if (layer_.clip > 0) x = std::clamp(x, double{-layer_.clip}, double{layer_.clip});
    return activated(layer_, direction_, index, x);
  }
  double gate(int gate, int j, int position, const std::vector<double>& state,
              double further = 0) const {
    return active(0, from_input(gate, j, position) + from_state(gate, j, state) + further);
  }

  const Layer& layer_;
  int direction_, sequence_;
  std::vector<double> hidden_, memory_;
};

inline Shape output_shape(const Layer& layer) {
  const int states = !layer.final_states ? 0 : layer.cell == RecurrentCell::Lstm ? 2 : 1;
  return shape_of(
      {layer.size.steps + states, layer.directions(), layer.size.batch, layer.size.hidden});
}

inline std::vector<double> reference(const Layer& layer) {
  const Sizes& size = layer.size;
  const Shape shape = output_shape(layer);
  std::vector<double> result(static_cast<std::size_t>(shape.elements()), 0.0);
  for (int direction = 0; direction < layer.directions(); ++direction)
    for (int sequence = 0; sequence < size.batch; ++sequence) {
      const auto write = [&](int position, const std::vector<double>& values) {
        const int row = (position * layer.directions() + direction) * size.batch + sequence;
        std::ranges::copy(values, result.begin() + row * size.hidden);
      };
      const int length = layer.lengths.shape.rank < 0
                             ? size.steps
                             : std::clamp(layer.lengths.integers[sequence], 0, size.steps);
      const bool reverse = direction == 1 || layer.direction == RecurrentDirection::Reverse;
      Reference cell(layer, direction, sequence);
      for (int i = 0; i < length; ++i) {
        const int position = reverse ? length - 1 - i : i;
        cell.step(position);
        write(position, cell.hidden());
      }
      if (!layer.final_states) continue;
      write(size.steps, cell.hidden());
      if (layer.cell == RecurrentCell::Lstm) write(size.steps + 1, cell.memory());
    }
  return result;
}

}  // namespace figment::testing
