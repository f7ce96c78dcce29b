// What every way to run recurrent layers has in common: the walk along the sequence and the
// formulas of the cells. Matrix products and activations are the room's own.
#pragma once

#include "runtime/ops/operator.h"

namespace figment::ops {

enum RecurrentOperand {
  kRecurrentX,
  kRecurrentWeights,
  kRecurrentStateWeights,
  kRecurrentBias,
  kRecurrentLengths,
  kRecurrentHidden,
  kRecurrentCell,
  kRecurrentPeepholes
};

struct RecurrentSizes {
  std::int64_t steps, batch, inputs;
  std::int64_t directions, gates, hidden;

  // The gates of one sequence at one position.
  std::int64_t row() const { return gates * hidden; }
};
RecurrentSizes recurrent_sizes(const Operation& operation);

struct RecurrentActivation {
  format::UnaryFunction function;
  float alpha, beta;
};

int recurrent_directions(format::RecurrentDirection direction);

// Whether a Gru's reset gate works on the state before the candidate's product, which is then a
// product of its own.
bool resets_before(const format::Recurrent& options);

// How many activations a cell has in one direction.
int recurrent_activations(format::RecurrentCell cell);

// Activation `index` of a direction: the gates' (Rnn: the state's), the candidate's, Lstm's
// output's.
RecurrentActivation recurrent_activation(const format::Recurrent& options, int direction,
                                         int index);

// The room's part of the walk. Each function may fail only where the room can (XNNPACK).
struct RecurrentEngine {
  void* context;
  // x W^T + the input's bias at `position`: [batch, gates*hidden], which the walk overwrites. Null:
  // failed. Positions come in the order in which the direction runs.
  float* (*input_product)(void* context, int direction, std::int64_t position);
  // hidden R^T + the state's bias of `count` gates from `first` on: hidden [batch, hidden] to
  // y [batch, count*hidden], whose rows lie gates*hidden apart.
  bool (*state_product)(void* context, int direction, int first, int count, const float* hidden,
                        float* y);
  // In place.
  bool (*activate)(void* context, const RecurrentActivation& activation, float* values,
                   std::int64_t count);
};

// Floats that the walk itself wants.
std::int64_t recurrent_walk_floats(const Operation& operation);

// Writes the whole output. False when the engine failed.
bool walk_recurrent(const Operation& operation, const RecurrentEngine& engine, float* scratch);

}  // namespace figment::ops
