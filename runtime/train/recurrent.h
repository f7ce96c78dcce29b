// One direction of a recurrent layer that learns: where its operands are and what the forward pass
// keeps for the backward.
#pragma once

#include "runtime/ops/recurrent_cells.h"
#include "runtime/train/backward.h"
#include "runtime/train/threads.h"

namespace figment::train {

class RecurrentLayer {
 public:
  RecurrentLayer(const Call& the_call, int direction)
      : call(the_call),
        options(call.as<format::Recurrent>()),
        size(ops::recurrent_sizes(call.operation)),
        index(direction),
        reverse(index == 1 || options.direction() == format::RecurrentDirection::Reverse),
        gates(reinterpret_cast<float*>(call.saved) + index * saved_floats(call)),
        states(gates + size.steps * batch_gates()),
        further(states + (size.steps + 1) * batch_states()) {}

  // The gates of all positions, the states before and after them, and `further`: of an Lstm its
  // cells likewise; of a Gru, at each position, the state's product for the candidate, or what the
  // reset gate left of the state for it.
  static std::int64_t saved_floats(const Call& call) {
    const ops::RecurrentSizes size = ops::recurrent_sizes(call.operation);
    const format::RecurrentCell cell = call.as<format::Recurrent>().cell();
    const std::int64_t further = cell == format::RecurrentCell::Rnn   ? 0
                                 : cell == format::RecurrentCell::Gru ? size.steps
                                                                      : size.steps + 1;
    return size.batch * (size.steps * size.row() + (size.steps + 1 + further) * size.hidden);
  }

  std::int64_t batch_gates() const { return size.batch * size.row(); }
  std::int64_t batch_states() const { return size.batch * size.hidden; }
  bool lstm() const { return options.cell() == format::RecurrentCell::Lstm; }
  bool gru() const { return options.cell() == format::RecurrentCell::Gru; }
  bool resets_after() const { return gru() && options.reset_after(); }
  // Gates whose sums all of the state's product goes to directly.
  std::int64_t plain_gates() const { return gru() ? 2 : size.gates; }

  // Position number `i` in the order of the walk.
  std::int64_t position(std::int64_t i) const { return reverse ? size.steps - 1 - i : i; }
  // Where the states before and after a position stand among those of all.
  std::int64_t before(std::int64_t at) const { return (reverse ? at + 1 : at) * batch_states(); }
  std::int64_t after(std::int64_t at) const { return (reverse ? at : at + 1) * batch_states(); }

  // This direction's part of an operand, or of its gradient; null where there is none.
  const float* operand(std::size_t which) const {
    return call.has(which) ? part(which, call.in(which).floats()) : nullptr;
  }
  float* gradient(std::size_t which) const {
    float* all = call.gradient(which);
    return all != nullptr ? part(which, all) : nullptr;
  }
  // This direction's states at `position` in y or dy.
  template <typename Float>
  Float* at_output(Float* y, std::int64_t at) const {
    return y + (at * size.directions + index) * batch_states();
  }

  bool active(std::int64_t at, std::int64_t sequence) const {
    return !call.has(ops::kRecurrentLengths) ||
           at < call.in(ops::kRecurrentLengths).integers()[sequence];
  }
  ops::RecurrentActivation activation(int which) const {
    return ops::recurrent_activation(options, index, which);
  }
  // body(sequence) for all of the batch, shared out where that is much work.
  template <typename Function>
  void for_each_sequence(const Function& body) const {
    share(batch_gates() < kWorthSharing ? nullptr : call.operation.threads, size.batch,
          [&](std::size_t, std::int64_t first, std::int64_t last) {
            for (std::int64_t sequence = first; sequence < last; ++sequence) body(sequence);
          });
  }
  void multiply(const Multiplication& product, std::byte* scratch) const {
    train::multiply(product, *call.loops, scratch, call.operation.threads);
  }

  const Call& call;
  const format::Recurrent& options;
  const ops::RecurrentSizes size;
  const int index;
  const bool reverse;
  float* const gates;    // [steps, batch, gates*hidden]
  float* const states;   // [steps + 1, batch, hidden]
  float* const further;  // the same, or one less

 private:
  template <typename Float>
  Float* part(std::size_t which, Float* all) const {
    return all + index * (call.in(which).elements() / size.directions);
  }
};

// The forward pass of all directions, and its scratch.
void recurrent_forward(const Call& call);
std::size_t recurrent_forward_scratch_bytes(const Call& call);

}  // namespace figment::train
