// What a session is inside its arena, and the one function that lays it out there.
#pragma once

#include "runtime/base/arena.h"
#include "runtime/model_view.h"

namespace figment {

// One thing to do in a run: an operator, or the activation of the operator before it.
struct Step {
  const ops::OperatorEntry* entry;
  const xnnpack::FastRoom* fast;  // null: the portable definition
  void* fast_state;
  const char* lowering;
  Operation operation;
  Tensor* input_views;  // what operation.inputs shows
  Tensor* output_view;
  std::size_t scratch_bytes;
  std::int32_t operator_index;
};

// At the arena's low end, followed by the steps and their operands.
struct Session::State {
  const format::Model* root;
  Options options;
  Step* steps;
  std::int32_t step_count;
  std::int32_t samples_at_once;  // of the batch, which runs in parts when it is more
  Tensor* inputs;
  Tensor* outputs;
  std::size_t packed_bytes;
  std::size_t activation_bytes;
  std::size_t peak_live_bytes;
};

// Told of the weights that operators pack, in the order in which they ask for them again. A block
// is complete when the session is.
struct PackedRecorder {
  void* context;
  void (*record)(void* context, std::int32_t operator_index, std::span<const std::byte> block);
};

// Lays `model` out in `arena`: every operator's way to run, its memory, its addresses. On success
// `state` is complete; over a measuring arena it has no addresses. When the arena is too small it
// has overflowed() and `state` is null.
Status lay_out(const Model& model, const Options& options, Arena& arena, Session::State*& state,
               const PackedRecorder* recorder = nullptr);

// Creates a session in `arena` as Session::create does, packing its weights anew, and tells
// `recorder` of them. For figment tune.
Status record_packed_weights(const Model& model, std::span<std::byte> arena, const Options& options,
                             const PackedRecorder& recorder);

// Lets the steps' operands show the samples_at_once from `first` on. Returns a step that XNNPACK
// refuses to run there, as a rule null.
const Step* show_samples(Session::State& state, std::int32_t first);

Status refused_by_xnnpack(const Step& step);

}  // namespace figment
