// Recurrent: formulas as the schema has them. The forward pass keeps each position's gates and
// states; the backward walks the other way, and turns the gates in place into d [steps, batch,
// gates*hidden], the loss's gradients by their sums. At each position, with dh that by the state:
//   dh += dy; d and dh by the cell's formulas (runtime/train/cells.h); dh before it += d R
// and at the end, over all positions at once, with h the states before each:
//   dx = d W, dW = d^T x, dR = d^T h, dbias = the sum of d's rows, once for the input, once for the
//   state; dpeepholes as cells.h says. What is left of dh and dc is that of the initial states.
// A Gru's candidate has another h, r h, or after its reset gate another d, r d, for the state.
//
// Past a sequence's end d is 0 and its states stay: but x must hold numbers there, no NaN.
#include <algorithm>
#include <cstring>

#include "runtime/ops/unary.h"
#include "runtime/train/cells.h"
#include "runtime/train/recurrent.h"
#include "runtime/train/rows.h"

namespace figment::train {
namespace {

using namespace ops;  // kRecurrentX and what else describes a layer

std::size_t bytes_of(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * sizeof(float);
}

std::size_t saved_bytes(const Call& call) {
  return bytes_of(recurrent_sizes(call.operation).directions * RecurrentLayer::saved_floats(call));
}

const char* refuses(const Call& call) {
  const auto& options = call.as<format::Recurrent>();
  for (int direction = 0; direction < recurrent_directions(options.direction()); ++direction)
    for (int which = 0; which < recurrent_activations(options.cell()); ++which)
      if (const char* why = refuses_activation(recurrent_activation(options, direction, which)))
        return why;
  return nullptr;
}

// Initial states are kept with the others.
Reads reads(const Call&, Inputs wanted) {
  Reads result;
  result.inputs = input_bit(kRecurrentStateWeights) | input_bit(kRecurrentLengths) |
                  input_bit(kRecurrentPeepholes);
  if (wanted & input_bit(kRecurrentX)) result.inputs |= input_bit(kRecurrentWeights);
  if (wanted & input_bit(kRecurrentWeights)) result.inputs |= input_bit(kRecurrentX);
  return result;
}

// Behind the products' scratch, floats: dh, dc and the gradient by what a reset gate left of the
// state, [batch, hidden] each; and for each sequence its gates' slopes, its activated cell and that
// one's slopes.
std::size_t scratch_bytes(const Call& call) {
  const RecurrentSizes size = recurrent_sizes(call.operation);
  return multiply_scratch_bytes(call.operation.threads) +
         bytes_of(size.batch * (size.row() + 5 * size.hidden));
}

class Backward {
 public:
  Backward(const Call& call, int index)
      : layer_(call, index),
        size_(layer_.size),
        dh_(reinterpret_cast<float*>(call.operation.scratch +
                                     multiply_scratch_bytes(call.operation.threads))),
        dc_(dh_ + layer_.batch_states()),
        dreset_(dc_ + layer_.batch_states()),
        slopes_(dreset_ + layer_.batch_states()) {}

  void run() {
    begin();
    for (std::int64_t i = size_.steps - 1; i >= 0; --i) step(layer_.position(i));
    finish();
  }

 private:
  void begin() {
    const auto load = [&](bool given, std::int64_t at, float* gradient) {
      if (given)
        std::memcpy(gradient, layer_.at_output(layer_.call.output_gradient, at),
                    bytes_of(layer_.batch_states()));
      else
        std::memset(gradient, 0, bytes_of(layer_.batch_states()));
    };
    load(layer_.options.final_states(), size_.steps, dh_);
    load(layer_.options.final_states() && layer_.lstm(), size_.steps + 1, dc_);
  }

  void multiply(const Multiplication& product) const {
    layer_.multiply(product, layer_.call.operation.scratch);
  }
  // dh += d R, or `c` = it, of `count` gates from `first` on.
  void to_state(const float* d, std::int64_t d_stride, std::int64_t first, std::int64_t count,
                float* c, bool add) const {
    multiply(
        {.rows = size_.batch,
         .columns = size_.hidden,
         .depth = count * size_.hidden,
         .a = matrix(d, d_stride),
         .b = matrix(layer_.operand(kRecurrentStateWeights) + first * size_.hidden * size_.hidden,
                     size_.hidden),
         .c = c,
         .c_stride = size_.hidden,
         .add = add});
  }

  void step(std::int64_t at) {
    float* gates = layer_.gates + at * layer_.batch_gates();
    layer_.for_each_sequence([&](std::int64_t sequence) {
      float* row = gates + sequence * size_.row();
      if (layer_.active(at, sequence)) {
        cell(at, sequence, row);
        return;
      }
      std::memset(row, 0, bytes_of(size_.row()));
      if (layer_.gru())
        std::memset(layer_.further + at * layer_.batch_states() + sequence * size_.hidden, 0,
                    bytes_of(size_.hidden));
    });
    if (layer_.gru()) candidates(at, gates);
    to_state(gates, size_.row(), 0, layer_.plain_gates(), dh_, /*add=*/true);
  }

  void cell(std::int64_t at, std::int64_t sequence, float* row) {
    const std::int64_t hidden = size_.hidden;
    const std::int64_t offset = sequence * hidden;
    const float clip = layer_.options.clip();
    float* slopes = slopes_ + sequence * (size_.row() + 2 * hidden);
    float* dh = dh_ + offset;
    const float* dy = layer_.at_output(layer_.call.output_gradient, at) + offset;
    for (std::int64_t i = 0; i < hidden; ++i) dh[i] += dy[i];
    if (layer_.lstm()) {
      float* activated = slopes + size_.row();
      float* activated_slopes = activated + hidden;
      const RecurrentActivation last = layer_.activation(2);
      apply_unary(last.function, last.alpha, last.beta, layer_.further + layer_.after(at) + offset,
                  activated, hidden);
      slopes_of(last, 0, activated, hidden, activated_slopes);
      slopes_of(layer_.activation(0), clip, row, 3 * hidden, slopes);
      slopes_of(layer_.activation(1), clip, row + 3 * hidden, hidden, slopes + 3 * hidden);
      lstm_gradient(
          hidden,
          {slopes, activated, activated_slopes, layer_.further + layer_.before(at) + offset,
           layer_.operand(kRecurrentPeepholes), layer_.options.couple_gates()},
          row, dh, dc_ + offset);
    } else if (layer_.gru()) {
      slopes_of(layer_.activation(0), clip, row, 2 * hidden, slopes);
      slopes_of(layer_.activation(1), clip, row + 2 * hidden, hidden, slopes + 2 * hidden);
      gru_gradient(hidden, slopes, layer_.states + layer_.before(at) + offset, row, dh);
      if (layer_.resets_after())
        reset_after_gradient(hidden, slopes, row,
                             layer_.further + at * layer_.batch_states() + offset);
    } else {
      slopes_of(layer_.activation(0), clip, row, hidden, slopes);
      rnn_gradient(hidden, slopes, row, dh);
    }
  }

  // What goes to the state through a Gru's candidates.
  void candidates(std::int64_t at, float* gates) {
    const std::int64_t hidden = size_.hidden;
    if (layer_.resets_after()) {
      to_state(layer_.further + at * layer_.batch_states(), hidden, 2, 1, dh_, /*add=*/true);
      return;
    }
    to_state(gates + 2 * hidden, size_.row(), 2, 1, dreset_, /*add=*/false);
    layer_.for_each_sequence([&](std::int64_t sequence) {
      if (!layer_.active(at, sequence)) return;
      const std::int64_t offset = sequence * hidden;
      reset_before_gradient(hidden, slopes_ + sequence * (size_.row() + 2 * hidden),
                            layer_.states + layer_.before(at) + offset, dreset_ + offset,
                            gates + sequence * size_.row(), dh_ + offset);
    });
  }

  // rows of y = d^T x over all positions.
  void weights_gradient(const float* d, std::int64_t d_columns, std::int64_t d_stride,
                        const float* x, std::int64_t x_columns, float* y) const {
    multiply({.rows = d_columns,
              .columns = x_columns,
              .depth = size_.steps * size_.batch,
              .a = matrix(d, d_stride).transposed(),
              .b = matrix(x, x_columns),
              .c = y,
              .c_stride = x_columns});
  }

  void finish() const {
    const std::int64_t rows = size_.steps * size_.batch;
    const std::int64_t row = size_.row();
    const std::int64_t plain = layer_.plain_gates() * size_.hidden;
    // The states before all positions, and after them.
    const std::int64_t before = layer_.reverse ? layer_.batch_states() : 0;
    const std::int64_t after = layer_.batch_states() - before;
    if (float* dx = layer_.call.gradient(kRecurrentX))
      multiply({.rows = rows,
                .columns = size_.inputs,
                .depth = row,
                .a = matrix(layer_.gates, row),
                .b = matrix(layer_.operand(kRecurrentWeights), size_.inputs),
                .c = dx,
                .c_stride = size_.inputs,
                .add = layer_.index > 0});
    if (float* gradient = layer_.gradient(kRecurrentWeights))
      weights_gradient(layer_.gates, row, row, layer_.call.in(kRecurrentX).floats(), size_.inputs,
                       gradient);
    if (float* gradient = layer_.gradient(kRecurrentStateWeights)) {
      weights_gradient(layer_.gates, plain, row, layer_.states + before, size_.hidden, gradient);
      float* candidate = gradient + plain * size_.hidden;
      if (layer_.resets_after())
        weights_gradient(layer_.further, size_.hidden, size_.hidden, layer_.states + before,
                         size_.hidden, candidate);
      else if (layer_.gru())
        weights_gradient(layer_.gates + plain, size_.hidden, row, layer_.further, size_.hidden,
                         candidate);
    }
    if (float* gradient = layer_.gradient(kRecurrentBias)) {
      sum_rows(layer_.gates, rows, row, gradient, layer_.call.operation.threads);
      std::memcpy(gradient + row, gradient, bytes_of(row));
      if (layer_.resets_after())
        sum_rows(layer_.further, rows, size_.hidden, gradient + row + plain,
                 layer_.call.operation.threads);
    }
    if (float* gradient = layer_.gradient(kRecurrentHidden))
      std::memcpy(gradient, dh_, bytes_of(layer_.batch_states()));
    if (float* gradient = layer_.gradient(kRecurrentCell))
      std::memcpy(gradient, dc_, bytes_of(layer_.batch_states()));
    if (float* gradient = layer_.gradient(kRecurrentPeepholes))
      peephole_gradient(rows, size_.hidden, layer_.gates, layer_.further + before,
                        layer_.further + after, gradient);
  }

  const RecurrentLayer layer_;
  const RecurrentSizes& size_;
  float *dh_, *dc_, *dreset_, *slopes_;
};

void backward(const Call& call) {
  const auto directions = static_cast<int>(recurrent_sizes(call.operation).directions);
  for (int index = 0; index < directions; ++index) Backward(call, index).run();
}

}  // namespace

extern const BackwardRoom kRecurrent;
const BackwardRoom kRecurrent{
    .differentiable = input_bit(kRecurrentX) | input_bit(kRecurrentWeights) |
                      input_bit(kRecurrentStateWeights) | input_bit(kRecurrentBias) |
                      input_bit(kRecurrentHidden) | input_bit(kRecurrentCell) |
                      input_bit(kRecurrentPeepholes),
    .reads = reads,
    .forward = recurrent_forward,
    .forward_scratch_bytes = recurrent_forward_scratch_bytes,
    .saved_bytes = saved_bytes,
    .scratch_bytes = scratch_bytes,
    .backward = backward,
    .refuses = refuses,
};

}  // namespace figment::train
