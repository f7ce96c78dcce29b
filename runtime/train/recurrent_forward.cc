// The forward pass of recurrent layers that learn: all positions' products with the input at once,
// then, position by position, those with the state and the cells. Formulas as the schema has them.
#include <cstring>

#include "runtime/math/gates.h"
#include "runtime/ops/unary.h"
#include "runtime/train/recurrent.h"
#include "runtime/train/rows.h"

namespace figment::train {
namespace {

using namespace ops;  // kRecurrentX and what else describes a layer

std::size_t bytes_of(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * sizeof(float);
}

class Forward {
 public:
  Forward(const Call& call, int index)
      : layer_(call, index),
        size_(layer_.size),
        turned_(reinterpret_cast<float*>(call.operation.scratch +
                                         multiply_scratch_bytes(call.operation.threads))),
        bias_(turned_ + size_.hidden * size_.row()) {}

  void run() {
    from_input();
    begin();
    for (std::int64_t i = 0; i < size_.steps; ++i) step(layer_.position(i));
    if (!layer_.options.final_states()) return;
    const std::int64_t last = layer_.after(layer_.position(size_.steps - 1));
    float* y = layer_.call.out().floats();
    std::memcpy(layer_.at_output(y, size_.steps), layer_.states + last,
                bytes_of(layer_.batch_states()));
    if (layer_.lstm())
      std::memcpy(layer_.at_output(y, size_.steps + 1), layer_.further + last,
                  bytes_of(layer_.batch_states()));
  }

 private:
  // What all positions' gates take from the input, and from the biases.
  void from_input() {
    const float* bias = layer_.operand(kRecurrentBias);
    const std::int64_t rows = size_.steps * size_.batch;
    const std::int64_t plain = layer_.resets_after() ? 2 * size_.hidden : size_.row();
    if (bias != nullptr) {
      std::memcpy(bias_, bias, bytes_of(size_.row()));
      math::add(bias + size_.row(), bias_, plain);
    }
    fill_rows(bias != nullptr ? bias_ : nullptr, rows, size_.row(), layer_.gates,
              layer_.call.operation.threads);
    if (layer_.resets_after())
      fill_rows(bias != nullptr ? bias + size_.row() + plain : nullptr, rows, size_.hidden,
                layer_.further, layer_.call.operation.threads);
    multiply({.rows = rows,
              .columns = size_.row(),
              .depth = size_.inputs,
              .a = matrix(layer_.call.in(kRecurrentX).floats(), size_.inputs),
              .b = matrix(layer_.operand(kRecurrentWeights), size_.inputs).transposed(),
              .c = layer_.gates,
              .c_stride = size_.row(),
              .add = true});
  }

  // The states before the first position; R as every step's product reads it.
  void begin() {
    const auto load = [&](std::size_t operand, float* states) {
      float* first = states + layer_.before(layer_.position(0));
      if (const float* initial = layer_.operand(operand))
        std::memcpy(first, initial, bytes_of(layer_.batch_states()));
      else
        std::memset(first, 0, bytes_of(layer_.batch_states()));
    };
    load(kRecurrentHidden, layer_.states);
    if (layer_.lstm()) load(kRecurrentCell, layer_.further);
    const float* weights = layer_.operand(kRecurrentStateWeights);
    for (std::int64_t k = 0; k < size_.hidden; ++k)
      for (std::int64_t row = 0; row < size_.row(); ++row)
        turned_[k * size_.row() + row] = weights[row * size_.hidden + k];
  }

  void multiply(const Multiplication& product) const {
    layer_.multiply(product, layer_.call.operation.scratch);
  }
  // c += state R^T of `count` gates from `first` on.
  void from_state(const float* state, std::int64_t first, std::int64_t count, float* c,
                  std::int64_t c_stride) const {
    multiply({.rows = size_.batch,
              .columns = count * size_.hidden,
              .depth = size_.hidden,
              .a = matrix(state, size_.hidden),
              .b = matrix(turned_ + first * size_.hidden, size_.row()),
              .c = c,
              .c_stride = c_stride,
              .add = true});
  }

  void gate(int which, float* values, std::int64_t count) const {
    const float clip = layer_.options.clip();
    if (clip > 0) apply_unary(format::UnaryFunction::Clip, -clip, clip, values, values, count);
    activate(which, values, values, count);
  }
  void activate(int which, const float* x, float* y, std::int64_t count) const {
    const RecurrentActivation activation = layer_.activation(which);
    apply_unary(activation.function, activation.alpha, activation.beta, x, y, count);
  }

  void step(std::int64_t at) {
    float* gates = layer_.gates + at * layer_.batch_gates();
    const float* before = layer_.states + layer_.before(at);
    from_state(before, 0, layer_.plain_gates(), gates, size_.row());
    if (layer_.gru()) candidates(at, gates, before);
    layer_.for_each_sequence([&](std::int64_t sequence) {
      const std::int64_t offset = sequence * size_.hidden;
      float* after = layer_.states + layer_.after(at) + offset;
      float* y = layer_.at_output(layer_.call.out().floats(), at) + offset;
      if (!layer_.active(at, sequence)) {
        std::memcpy(after, before + offset, bytes_of(size_.hidden));
        if (layer_.lstm())
          std::memcpy(layer_.further + layer_.after(at) + offset,
                      layer_.further + layer_.before(at) + offset, bytes_of(size_.hidden));
        std::memset(y, 0, bytes_of(size_.hidden));
        return;
      }
      float* row = gates + sequence * size_.row();
      if (layer_.lstm())
        lstm(row, layer_.further + layer_.before(at) + offset,
             layer_.further + layer_.after(at) + offset, after);
      else if (layer_.gru())
        gru(row, before + offset, after);
      else
        rnn(row, after);
      std::memcpy(y, after, bytes_of(size_.hidden));
    });
  }

  void rnn(float* row, float* after) const {
    gate(0, row, size_.hidden);
    std::memcpy(after, row, bytes_of(size_.hidden));
  }

  // Update and reset gates, and the sums of the candidates.
  void candidates(std::int64_t at, float* gates, const float* before) const {
    const std::int64_t count = size_.hidden;
    float* further = layer_.further + at * layer_.batch_states();
    if (layer_.resets_after()) from_state(before, 2, 1, further, count);
    layer_.for_each_sequence([&](std::int64_t sequence) {
      float* row = gates + sequence * size_.row();
      gate(0, row, 2 * count);
      if (layer_.resets_after())
        math::add_product(row + count, further + sequence * count, row + 2 * count, count);
      else
        math::multiply(row + count, before + sequence * count, further + sequence * count, count);
    });
    if (!layer_.resets_after()) from_state(further, 2, 1, gates + 2 * count, size_.row());
  }

  // h = (1 - z) n + z h = n + z (h - n)
  void gru(float* row, const float* before, float* after) const {
    const std::int64_t count = size_.hidden;
    const float* update = row;
    float* candidate = row + 2 * count;
    gate(1, candidate, count);
    for (std::int64_t i = 0; i < count; ++i)
      after[i] = (1.0F - update[i]) * candidate[i] + update[i] * before[i];
  }

  void lstm(float* row, const float* cell_before, float* cell, float* after) const {
    const std::int64_t count = size_.hidden;
    const float* peepholes = layer_.operand(kRecurrentPeepholes);
    float* output = row + count;
    float* forget = row + 2 * count;
    float* candidate = row + 3 * count;
    if (peepholes != nullptr) {
      math::add_product(peepholes, cell_before, row, count);
      math::add_product(peepholes + 2 * count, cell_before, forget, count);
      gate(0, row, count);
      gate(0, forget, count);
    } else {
      gate(0, row, 3 * count);
    }
    gate(1, candidate, count);
    if (layer_.options.couple_gates()) math::complement(row, forget, count);
    for (std::int64_t i = 0; i < count; ++i)
      cell[i] = forget[i] * cell_before[i] + row[i] * candidate[i];
    if (peepholes != nullptr) {
      math::add_product(peepholes + count, cell, output, count);
      gate(0, output, count);
    }
    activate(2, cell, after, count);
    for (std::int64_t i = 0; i < count; ++i) after[i] *= output[i];
  }

  const RecurrentLayer layer_;
  const RecurrentSizes& size_;
  float* turned_;  // R^T [hidden, gates*hidden]
  float* bias_;    // [gates*hidden]
};

}  // namespace

// The products' scratch, R^T and the sum of both biases.
std::size_t recurrent_forward_scratch_bytes(const Call& call) {
  const RecurrentSizes size = recurrent_sizes(call.operation);
  return multiply_scratch_bytes(call.operation.threads) + bytes_of((size.hidden + 1) * size.row());
}

void recurrent_forward(const Call& call) {
  const auto directions = static_cast<int>(recurrent_sizes(call.operation).directions);
  for (int index = 0; index < directions; ++index) Forward(call, index).run();
}

}  // namespace figment::train
