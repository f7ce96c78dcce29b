// What a task asks of its models' inputs and outputs.
#pragma once

#include "runtime/train/state.h"

namespace figment::train {

inline Shape shape_at_batch(const Trainer::State& state, int model, bool output, int index) {
  const format::Model& root = *state.roots[model];
  const auto* ports = output ? root.outputs() : root.inputs();
  return tensor_view(root, ports->Get(static_cast<flatbuffers::uoffset_t>(index))->tensor(),
                     state.options.batch)
      .shape;
}

inline DataType input_type(const Trainer::State& state, int model, int index) {
  return state.models[model]->input(index).type;
}

inline int input_count(const Trainer::State& state, int model) {
  return state.models[model]->input_count();
}

// Floats of one latent, and whether mean and variance come as one output.
inline std::int64_t latent_width(const Trainer::State& state) {
  return shape_at_batch(state, 0, false, 0).elements() / state.options.batch;
}
inline bool has_two_outputs(const Trainer::State& state) {
  return state.models[1]->output_count() > 1;
}

}  // namespace figment::train
