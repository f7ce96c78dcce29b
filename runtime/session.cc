// The public Session: measures, creates and runs what layout.cc has laid out.
#include "runtime/layout.h"
#include "runtime/parts.h"
#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/xnnpack/fast_room.h"
#endif

namespace figment {
namespace {

#ifdef FIGMENT_WITHOUT_HEAP
constexpr bool kBorrows = false;
#else
constexpr bool kBorrows = true;
#endif

Status too_small(std::size_t given, std::size_t needed) {
  Status status = make_error(ErrorCode::kArenaTooSmall,
                             {"the arena has ", given, " bytes but this session needs ", needed,
                              "; Session::arena_bytes tells before"});
  status.bytes_needed = needed;
  return status;
}

Status too_small_to_measure(std::size_t given) {
  if (given == 0 && !kBorrows)
    return make_error(ErrorCode::kArenaTooSmall,
                      {"this build has no heap to measure in; give arena_bytes a workspace"});
  if (given == 0)
    return make_error(ErrorCode::kArenaTooSmall,
                      {"the system has too little memory to measure in"});
  return make_error(ErrorCode::kArenaTooSmall,
                    {given, " bytes are too few to measure this session in; give more"});
}

Status check_alignment(std::span<std::byte> memory) {
  if (reinterpret_cast<std::uintptr_t>(memory.data()) % kArenaAlignment != 0)
    return bad_argument({"the arena must begin at a multiple of ", kArenaAlignment});
  return {};
}

Status check_options(const Model& model, const Options& options) {
  if (options.batch < 1)
    return bad_argument({"the batch is ", options.batch, " but must be at least 1"});
  if (options.batch == 1) return {};  // as Model::open has checked
  if (!model.any_batch())
    return bad_argument({"this model's source fixed its batch: only batch 1 runs"});
  // The extents that grow must stay indexable before any of them is multiplied.
  for (const format::Tensor* tensor : *model.root().tensors()) {
    if (tensor->batch_axis() < 0) continue;
    std::int64_t elements = options.batch;
    for (const std::int32_t extent : *tensor->shape()) elements *= extent;
    if (elements > kMaxElements)
      return bad_argument({"a batch of ", options.batch, " makes tensors of more than ",
                           kMaxElements, " elements"});
  }
  return check_shapes(model.root(), samples_at_once(model.root(), options.batch));
}

// Computes the samples that the steps' operands show. Returns a step that XNNPACK refuses to run,
// as a rule null.
const Step* run_steps(const Session::State& state) {
  const Options& options = state.options;
  for (std::int32_t i = 0; i < state.step_count; ++i) {
    const Step& step = state.steps[i];
    const bool begins = i == 0 || state.steps[i - 1].operator_index != step.operator_index;
    if (begins && options.observer != nullptr)
      options.observer(options.observer_context, {step.operator_index, false});
    if (step.fast == nullptr) {
      if (step.entry->room->forward != nullptr) step.entry->room->forward(step.operation);
    }
#ifdef FIGMENT_WITH_XNNPACK
    else if (!step.fast->run(step.operation, step.fast_state)) {
      return &step;
    }
#endif
    const bool ends =
        i + 1 == state.step_count || state.steps[i + 1].operator_index != step.operator_index;
    if (ends && options.observer != nullptr)
      options.observer(options.observer_context, {step.operator_index, true});
  }
  return nullptr;
}

}  // namespace

Result<std::size_t> Session::arena_bytes(const Model& model, const Options& options,
                                         std::span<std::byte> workspace) {
  FIG_TRY(check_options(model, options));
  FIG_TRY(check_alignment(workspace));
  Arena arena{Arena::Measure{workspace}};
  State* state = nullptr;
  FIG_TRY(lay_out(model, options, arena, state));
  if (arena.overflowed()) return too_small_to_measure(workspace.size());
  return arena.high_water();
}

Result<Session> Session::create(const Model& model, std::span<std::byte> arena_memory,
                                const Options& options) {
  FIG_TRY(check_options(model, options));
  FIG_TRY(check_alignment(arena_memory));
  Arena arena(arena_memory.data(), arena_memory.size());
  State* state = nullptr;
  const Status status = lay_out(model, options, arena, state);
  if (arena.overflowed()) {
    // Nobody wants what was laid out, so where there is no heap its memory is free to measure in.
    const Result<std::size_t> needed =
        arena_bytes(model, options, kBorrows ? std::span<std::byte>() : arena_memory);
    return needed.ok() ? too_small(arena_memory.size(), *needed) : needed.status();
  }
  FIG_TRY(status);
  return Session(state);
}

Status record_packed_weights(const Model& model, std::span<std::byte> arena_memory,
                             const Options& options, const PackedRecorder& recorder) {
  FIG_TRY(check_options(model, options));
  FIG_TRY(check_alignment(arena_memory));
  Arena arena(arena_memory.data(), arena_memory.size());
  Session::State* state = nullptr;
  const Status status = lay_out(model, options, arena, state, &recorder);
  return arena.overflowed() ? too_small(arena_memory.size(), arena.high_water()) : status;
}

Tensor Session::input(int index) const { return state_->inputs[index]; }
Tensor Session::output(int index) const { return state_->outputs[index]; }

Status Session::run() {
  const std::int32_t part = state_->samples_at_once;
  const std::int32_t batch = state_->options.batch;
  const Step* refused = nullptr;
  // The last part ends with the batch: where parts do not divide it, some samples run twice.
  for (std::int32_t left = batch; left > 0 && refused == nullptr; left -= part) {
    if (part < batch) refused = show_samples(*state_, batch - (left > part ? left : part));
    if (refused == nullptr) refused = run_steps(*state_);
  }
  return refused == nullptr ? Status() : refused_by_xnnpack(*refused);
}

void Session::set_noise_seed(std::uint64_t seed) {
  for (std::int32_t i = 0; i < state_->step_count; ++i)
    state_->steps[i].operation.noise_seed = seed;
}

OperatorReport Session::operator_report(int index) const {
  const format::Operator& node =
      *state_->root->operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
  OperatorReport report{entry_of(node).kind, text(node.name()), "portable", 0};
  for (std::int32_t i = 0; i < state_->step_count; ++i) {
    const Step& step = state_->steps[i];
    if (step.operator_index != index) continue;
    report.lowering = step.lowering;
    if (step.entry->room->multiply_adds != nullptr)
      report.multiply_adds = step.entry->room->multiply_adds(step.operation) *
                             state_->options.batch / state_->samples_at_once;
    break;
  }
  return report;
}

int Session::samples_at_once() const { return state_->samples_at_once; }
std::size_t Session::packed_bytes() const { return state_->packed_bytes; }
std::size_t Session::activation_bytes() const { return state_->activation_bytes; }
std::size_t Session::peak_live_bytes() const { return state_->peak_live_bytes; }

}  // namespace figment
