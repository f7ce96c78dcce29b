// The elementwise half of what recurrent layers learn by: gradients of their cells, of one sequence
// at one position. Every array has `hidden` floats, gates and slopes as many for each gate; gates
// stand in the order that the schema says, and become the loss's gradients by their sums before
// the activation. Nothing overlaps.
#pragma once

#include "runtime/ops/recurrent_cells.h"

namespace figment::train {

// Why slopes_of cannot tell this function's slope from its value; null: it can.
const char* refuses_activation(const ops::RecurrentActivation& activation);

// The slopes of `activation` where it gave the values y. clip: numbers were cut to [-clip, clip]
// before it; 0: not.
void slopes_of(const ops::RecurrentActivation& activation, float clip, const float* y,
               std::int64_t count, float* slopes);

// gates = dh slope; dh = 0
void rnn_gradient(std::int64_t hidden, const float* slopes, float* gates, float* dh);

// z and n of h = (1 - z) n + z before: dh becomes z dh. The reset gate stays.
void gru_gradient(std::int64_t hidden, const float* slopes, const float* before, float* gates,
                  float* dh);
// The reset gate, which multiplied the state's product (`product`): that becomes the gradient by
// it.
void reset_after_gradient(std::int64_t hidden, const float* slopes, float* gates, float* product);
// The reset gate, which multiplied the state before its product: dreset is the loss's gradient by
// what it left of the state, of which dh takes its part.
void reset_before_gradient(std::int64_t hidden, const float* slopes, const float* before,
                           const float* dreset, float* gates, float* dh);

// i, o, f, g of c = f before + i g, h = o k(c): dh becomes 0, dc that of the cell before.
struct LstmCell {
  const float* slopes;
  const float* activated;  // k(c)
  const float* activated_slopes;
  const float* before;     // the cell
  const float* peepholes;  // i, o, f; null: none
  bool couple_gates;       // f is 1 - i
};
void lstm_gradient(std::int64_t hidden, const LstmCell& cell, float* gates, float* dh, float* dc);

// peepholes [3 hidden] = the sums over rows of di before, do after, df before: gates
// [rows, 4 hidden], cells [rows, hidden].
void peephole_gradient(std::int64_t rows, std::int64_t hidden, const float* gates,
                       const float* before, const float* after, float* peepholes);

}  // namespace figment::train
