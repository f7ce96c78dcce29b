// Which constants of the models learn, and where their numbers stand.
#pragma once

#include "runtime/train/state.h"

namespace figment::train {

// What a model is used for decides which of its outputs the loss depends on: the first `outputs`.
struct Role {
  int outputs = 1;
  int gradient_passes = 1;  // backward passes that reach its constants in one step
};

// Fills state.parameters, state.blockings, state.persistent and state.gradients, all from `arena`;
// on overflow they are incomplete. Refuses selections that select nothing.
Status choose_parameters(Trainer::State& state, const Role (&roles)[2], Arena& arena);

// The parameter of a model's tensor, or null.
Parameter* parameter_of(const Trainer::State& state, int model, int tensor);

// The backward of an operator, without the activation that it may carry; null: it has none, or none
// for these options.
const BackwardRoom* backward_of(const format::Model& root, const format::Operator& node, int batch);

}  // namespace figment::train
