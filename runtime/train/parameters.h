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

// Whether a gradient can go through an operator, from its output to input `index`.
bool passes_gradient(const format::Operator& node, std::size_t index);
// The same for the activation that an operator may carry.
bool activation_passes_gradient(const format::Operator& node);

}  // namespace figment::train
