// The walk along the sequence, and the formulas of RNN, GRU and LSTM cells as ONNX has them.
//
// A reverse direction runs from the last position to the first and leaves a sequence's state alone
// until it comes to the sequence's own end.
#include "runtime/ops/recurrent_cells.h"

#include <algorithm>
#include <cstring>

#include "runtime/math/gates.h"
#include "runtime/ops/unary.h"

namespace figment::ops {
namespace {

using format::RecurrentCell;
using format::UnaryFunction;

std::size_t bytes_of(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * sizeof(float);
}

const float* operand(const Operation& operation, std::size_t index) {
  return operation.has(index) ? operation.in(index).floats() : nullptr;
}

class Walk {
 public:
  Walk(const Operation& operation, const RecurrentEngine& engine, float* scratch)
      : operation_(operation),
        options_(operation.as<format::Recurrent>()),
        engine_(engine),
        size_(recurrent_sizes(operation)),
        from_state_(scratch),
        hidden_(from_state_ + size_.batch * size_.row()),
        other_(hidden_ + size_.batch * size_.hidden) {}

  bool run() {
    for (int direction = 0; direction < size_.directions; ++direction) {
      direction_ = direction;
      begin();
      const bool reverse =
          direction == 1 || options_.direction() == format::RecurrentDirection::Reverse;
      for (std::int64_t i = 0; i < size_.steps; ++i)
        if (!step(reverse ? size_.steps - 1 - i : i)) return false;
      finish();
    }
    return true;
  }

 private:
  bool lstm() const { return options_.cell() == RecurrentCell::Lstm; }

  std::int64_t state_floats() const { return size_.batch * size_.hidden; }

  // The states before the first position.
  void begin() {
    const auto load = [&](std::size_t index, float* state) {
      const float* initial = operand(operation_, index);
      if (initial != nullptr)
        std::memcpy(state, initial + direction_ * state_floats(), bytes_of(state_floats()));
      else
        std::memset(state, 0, bytes_of(state_floats()));
    };
    load(kRecurrentHidden, hidden_);
    if (lstm()) load(kRecurrentCell, other_);
  }

  // Where the output of `position` stands: [batch, hidden].
  float* output(std::int64_t position) const {
    return operation_.out().floats() + (position * size_.directions + direction_) * state_floats();
  }

  void finish() {
    if (!options_.final_states()) return;
    std::memcpy(output(size_.steps), hidden_, bytes_of(state_floats()));
    if (lstm()) std::memcpy(output(size_.steps + 1), other_, bytes_of(state_floats()));
  }

  // Clips and activates `count` gates.
  bool gate(int activation, float* values, std::int64_t count) {
    if (options_.clip() > 0)
      apply_unary(UnaryFunction::Clip, -options_.clip(), options_.clip(), values, values, count);
    return activate(activation, values, count);
  }
  bool activate(int activation, float* values, std::int64_t count) {
    return engine_.activate(engine_.context, recurrent_activation(options_, direction_, activation),
                            values, count);
  }

  bool step(std::int64_t position) {
    const bool reset_before = resets_before(options_);
    float* gates = engine_.input_product(engine_.context, direction_, position);
    if (gates == nullptr) return false;
    const int first_gates = reset_before ? 2 : static_cast<int>(size_.gates);
    if (!engine_.state_product(engine_.context, direction_, 0, first_gates, hidden_, from_state_))
      return false;
    if (reset_before && !reset(gates)) return false;
    const std::int32_t* lengths =
        operation_.has(kRecurrentLengths) ? operation_.in(kRecurrentLengths).integers() : nullptr;
    for (std::int64_t sequence = 0; sequence < size_.batch; ++sequence) {
      float* y = output(position) + sequence * size_.hidden;
      if (lengths != nullptr && position >= lengths[sequence]) {
        std::memset(y, 0, bytes_of(size_.hidden));
        continue;
      }
      float* state = hidden_ + sequence * size_.hidden;
      if (!cell(sequence, gates + sequence * size_.row(), state)) return false;
      std::memcpy(y, state, bytes_of(size_.hidden));
    }
    return true;
  }

  bool cell(std::int64_t sequence, float* gates, float* hidden) {
    const float* from_state = from_state_ + sequence * size_.row();
    switch (options_.cell()) {
      case RecurrentCell::Rnn:
        math::add(from_state, gates, size_.hidden);
        if (!gate(0, gates, size_.hidden)) return false;
        std::memcpy(hidden, gates, bytes_of(size_.hidden));
        return true;
      case RecurrentCell::Gru:
        return gru(gates, from_state, hidden);
      case RecurrentCell::Lstm:
        math::add(from_state, gates, size_.row());
        return lstm(gates, hidden, other_ + sequence * size_.hidden);
    }
    return true;
  }

  // Update and reset gates of all sequences, and what the reset leaves of their states: the
  // candidate's product is of that.
  bool reset(float* gates) {
    const std::int64_t count = size_.hidden;
    for (std::int64_t sequence = 0; sequence < size_.batch; ++sequence) {
      float* row = gates + sequence * size_.row();
      math::add(from_state_ + sequence * size_.row(), row, 2 * count);
      if (!gate(0, row, 2 * count)) return false;
      math::multiply(row + count, hidden_ + sequence * count, other_ + sequence * count, count);
    }
    return engine_.state_product(engine_.context, direction_, 2, 1, other_,
                                 from_state_ + 2 * count);
  }

  // z, r = f(...), n = g(...), h = (1 - z) n + z h
  bool gru(float* gates, const float* from_state, float* hidden) {
    const std::int64_t count = size_.hidden;
    float* update = gates;
    float* forget = gates + count;
    float* candidate = gates + 2 * count;
    if (options_.reset_after()) {
      math::add(from_state, gates, 2 * count);
      if (!gate(0, gates, 2 * count)) return false;
      math::add_product(forget, from_state + 2 * count, candidate, count);
    } else {
      math::add(from_state + 2 * count, candidate, count);
    }
    if (!gate(1, candidate, count)) return false;
    math::complement(update, forget, count);
    math::blend(update, forget, candidate, hidden, count);
    return true;
  }

  // i, o, f = f(...), c = f c + i g(...), h = o k(c). Peepholes let i and f see the cell
  // before, o the one after.
  bool lstm(float* gates, float* hidden, float* cell) {
    const std::int64_t count = size_.hidden;
    float* input = gates;
    float* output = gates + count;
    float* forget = gates + 2 * count;
    float* candidate = gates + 3 * count;
    const float* peepholes = operand(operation_, kRecurrentPeepholes);
    if (peepholes != nullptr) {
      peepholes += direction_ * 3 * count;
      math::add_product(peepholes, cell, input, count);
      math::add_product(peepholes + 2 * count, cell, forget, count);
      if (!gate(0, input, count) || !gate(0, forget, count)) return false;
    } else if (!gate(0, gates, 3 * count)) {
      return false;
    }
    if (!gate(1, candidate, count)) return false;
    if (options_.couple_gates()) math::complement(input, forget, count);
    math::blend(forget, input, candidate, cell, count);
    if (peepholes != nullptr) {
      math::add_product(peepholes + count, cell, output, count);
      if (!gate(0, output, count)) return false;
    }
    std::memcpy(candidate, cell, bytes_of(count));
    if (!activate(2, candidate, count)) return false;
    math::multiply(output, candidate, hidden, count);
    return true;
  }

  const Operation& operation_;
  const format::Recurrent& options_;
  const RecurrentEngine& engine_;
  const RecurrentSizes size_;
  float* from_state_;  // [batch, gates*hidden]
  float* hidden_;      // [batch, hidden]
  float* other_;       // the same: Lstm's cell; Gru's state as the reset gate leaves it
  int direction_ = 0;
};

}  // namespace

RecurrentSizes recurrent_sizes(const Operation& operation) {
  const Shape& x = operation.in(kRecurrentX).shape;
  const Shape& weights = operation.in(kRecurrentStateWeights).shape;
  return {x[0], x[1], x[2], weights[0], weights[1] / weights[2], weights[2]};
}

int recurrent_directions(format::RecurrentDirection direction) {
  return direction == format::RecurrentDirection::Bidirectional ? 2 : 1;
}

bool resets_before(const format::Recurrent& options) {
  return options.cell() == RecurrentCell::Gru && !options.reset_after();
}

int recurrent_activations(RecurrentCell cell) { return static_cast<int>(cell) + 1; }

RecurrentActivation recurrent_activation(const format::Recurrent& options, int direction,
                                         int index) {
  const auto* given = options.activations();
  if (given != nullptr && given->size() > 0) {
    const format::Unary* unary = given->Get(static_cast<flatbuffers::uoffset_t>(
        direction * recurrent_activations(options.cell()) + index));
    return {unary->function(), unary->alpha(), unary->beta()};
  }
  const bool gates = options.cell() != RecurrentCell::Rnn && index == 0;
  return {gates ? UnaryFunction::Sigmoid : UnaryFunction::Tanh, 0, 0};
}

std::int64_t recurrent_walk_floats(const Operation& operation) {
  const auto& options = operation.as<format::Recurrent>();
  const RecurrentSizes size = recurrent_sizes(operation);
  const bool other = options.cell() == RecurrentCell::Lstm || resets_before(options);
  return size.batch * (size.row() + (other ? 2 : 1) * size.hidden);
}

bool walk_recurrent(const Operation& operation, const RecurrentEngine& engine, float* scratch) {
  return Walk(operation, engine, scratch).run();
}

}  // namespace figment::ops
