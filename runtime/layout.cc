// A session: every operator's way to run, its memory and its addresses, laid out once in the
// caller's arena.
//
// The arena from its low end: the State and its tables, then what each faster operator keeps
// (packed weights, indirection tables), then one block that the planner has shared out by life time
// (inputs, activations, scratch). While it is laid out, the planner's working table stands where
// that block will be. arena_bytes() walks the very same code over a measuring arena.
#include <cstring>
#include <new>

#include "runtime/layout.h"
#include "runtime/parts.h"
#include "runtime/plan/planner.h"
#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/xnnpack/allocator.h"
#include "runtime/xnnpack/fast_room.h"
#include "runtime/xnnpack/packed_weights.h"
#endif

namespace figment {
namespace {

// XNNPACK's kernels may read this far past a tensor's end (XNN_EXTRA_BYTES).
constexpr std::size_t kReadSlack = 16;

std::size_t planned_bytes(std::size_t bytes) { return Arena::round_up(bytes + kReadSlack); }

// Where one tensor's numbers are while the memory is planned.
struct Place {
  std::int32_t interval;   // which interval holds it, -1: none (a constant, or nobody uses it)
  std::int32_t last_read;  // the last step that reads this very tensor
  void* constant;          // a constant's own address, which its aliases share
};

// Tells a faster step where its operands are; false: XNNPACK refuses.
bool bind_step([[maybe_unused]] const Step& step) {
#ifdef FIGMENT_WITH_XNNPACK
  if (step.fast != nullptr) return step.fast->bind(step.operation, step.fast_state);
#endif
  return true;
}

// Lays out one session. Every allocation may fail; the arena remembers that it overflowed.
class Layout {
 public:
  Layout(const Model& model, const Options& options, Arena& arena, const PackedRecorder* recorder)
      : model_(model), root_(model.root()), options_(options), arena_(arena), recorder_(recorder) {}

  // On success `state` is complete (without addresses when the arena measures).
  Status run(Session::State*& state) {
    FIG_TRY(make_steps());
    if (arena_.overflowed()) return {};
    FIG_TRY(choose_lowerings());
    if (arena_.overflowed()) return {};
    state_->packed_bytes = arena_.used();
    plan();
    if (arena_.overflowed()) return {};
    state = state_;
    if (arena_.measuring()) return {};
    return bind();
  }

 private:
  Status make_steps();
  Status choose_lowerings();
  Status choose(Step& step, const format::Unary* activation, bool& fused);
  void plan();
  void set_addresses(std::byte* block);
  void trace_lives(std::int32_t count);
  bool may_reuse(const Step& step, std::int32_t step_index) const;
  Status bind();

  std::int32_t tensor_count() const { return static_cast<std::int32_t>(root_.tensors()->size()); }
  const format::Operator& node_of(const Step& step) const {
    return *root_.operators()->Get(static_cast<flatbuffers::uoffset_t>(step.operator_index));
  }
  // A step that is the activation of its operator reads and writes that operator's output.
  bool is_activation(const Step& step) const {
    return step.operation.options == node_of(step).activation();
  }
  std::int32_t output_of(const Step& step) const { return node_of(step).outputs()->Get(0); }
  std::size_t input_count(const Step& step) const { return step.operation.inputs.size(); }
  std::int32_t input_of(const Step& step, std::size_t index) const {
    if (is_activation(step)) return output_of(step);
    return node_of(step).inputs()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }
  Place& place_of(std::int32_t tensor) { return places_[tensor]; }

  [[maybe_unused]] const Model& model_;
  const format::Model& root_;
  const Options& options_;
  Arena& arena_;
  [[maybe_unused]] const PackedRecorder* recorder_;
#ifdef FIGMENT_WITH_XNNPACK
  xnnpack::PackedWeights* packed_ = nullptr;
  bool packed_fit_ = false;  // the file's packed weights are for this machine
#endif
  Session::State* state_ = nullptr;
  // The planner's working table; gone when the session is ready.
  Place* places_ = nullptr;
  plan::Interval* intervals_ = nullptr;
  std::int32_t interval_count_ = 0;
  std::int32_t* scratch_interval_ = nullptr;  // by step
};

Status Layout::make_steps() {
  std::size_t operands = 0;
  std::size_t most_steps = 0;
  for (const format::Operator* node : *root_.operators()) {
    operands += (node->inputs() == nullptr ? 0 : node->inputs()->size()) +
                (node->activation() == nullptr ? 1 : 2);
    most_steps += node->activation() == nullptr ? 1 : 2;
  }
  state_ = arena_.allocate_array<Session::State>(1);
  Step* steps = arena_.allocate_array<Step>(most_steps);
  Tensor* tensors =
      arena_.allocate_array<Tensor>(operands + root_.inputs()->size() + root_.outputs()->size());
  if (arena_.overflowed()) return {};
  *state_ = Session::State{};
  state_->root = &root_;
  state_->options = options_;
  const std::int32_t samples = samples_at_once(root_, options_.batch);
  state_->samples_at_once = samples;
  state_->steps = steps;
  state_->inputs = tensors;
  for (const format::Port* port : *root_.inputs())
    *tensors++ = tensor_view(root_, port->tensor(), options_.batch);
  state_->outputs = tensors;
  for (const format::Port* port : *root_.outputs())
    *tensors++ = tensor_view(root_, port->tensor(), options_.batch);

  std::int32_t index = 0;
  for (const format::Operator* node : *root_.operators()) {
    const std::size_t inputs = node->inputs() == nullptr ? 0 : node->inputs()->size();
    Tensor* output = tensors + inputs;
    view_operands(root_, *node, samples, tensors, output);
    Step& step = steps[state_->step_count++];
    step = Step{&entry_of(*node), nullptr, nullptr, "portable", {}, tensors, output, 0, index};
    step.operation.options = node->options();
    step.operation.inputs = {tensors, inputs};
    step.operation.outputs = {output, 1};
    step.operation.threads = options_.threads;
    step.operation.noise_seed = options_.noise_seed;
    tensors = output + 1;
    if (node->activation() != nullptr) {
      Step& activation = steps[state_->step_count++];
      activation = step;
      activation.entry = &ops::kOperators[static_cast<int>(format::OperatorOptions::Unary)];
      activation.operation.options = node->activation();
      *tensors = *output;
      activation.input_views = activation.output_view = tensors;
      activation.operation.inputs = {tensors, 1};
      activation.operation.outputs = {tensors, 1};
      ++tensors;
    }
    ++index;
  }
  return {};
}

Status Layout::choose_lowerings() {
#ifdef FIGMENT_WITH_XNNPACK
  if (options_.backend == Backend::kXnnpack) {
    void* memory = arena_.allocate(sizeof(xnnpack::PackedWeights));
    if (memory == nullptr) return {};
    packed_ = new (memory) xnnpack::PackedWeights(arena_, recorder_);
    packed_fit_ = recorder_ == nullptr && model_.tuning() == Tuning::kHere;
  }
#endif
  std::int32_t kept = 0;
  for (std::int32_t i = 0; i < state_->step_count; ++i) {
    Step step = state_->steps[i];
    const format::Operator& node = node_of(step);
    bool fused = false;
    Status status = choose(step, is_activation(step) ? nullptr : node.activation(), fused);
    if (!status.ok()) {
      status.operator_index = step.operator_index;
      return status;
    }
    if (arena_.overflowed()) return {};
    state_->steps[kept++] = step;
    if (fused) ++i;  // the operator applies its activation itself
  }
  state_->step_count = kept;
  return {};
}

Status Layout::choose(Step& step, [[maybe_unused]] const format::Unary* activation,
                      [[maybe_unused]] bool& fused) {
#ifdef FIGMENT_WITH_XNNPACK
  const xnnpack::FastRoom* fast = step.entry->fast;
  if (options_.backend == Backend::kXnnpack && fast != nullptr && fast->accepts(step.operation)) {
    xnnpack::Build build{.arena = arena_,
                         .packed = *packed_,
                         .activation = activation,
                         .wish = text(node_of(step).lowering())};
    const bool in_file = packed_fit_ && !is_activation(step);
    packed_->begin(step.operator_index, in_file ? packed_blocks(model_, step.operator_index)
                                                : std::span<const std::byte>());
    const xnnpack::ArenaScope scope(arena_);
    const Status created = fast->create(step.operation, build);
    if (packed_->broken())
      return bad_file({"the packed weights are not those of this model; run figment tune again"});
    FIG_TRY(created);
    if (!xnnpack::serves_xnnpack())
      return backend_error(
          {"XNNPACK was started by other code with an allocator of its own, so its memory cannot "
           "come from the arena; "
           "call Model::open before that code, or use the portable backend"});
    step.fast = fast;
    step.fast_state = build.state;
    step.lowering = build.lowering;
    step.scratch_bytes = build.scratch_bytes;
    fused = build.fused_activation;
    return {};
  }
#endif
  const ops::OperatorRoom& room = *step.entry->room;
  if (room.scratch_bytes != nullptr) step.scratch_bytes = room.scratch_bytes(step.operation);
  return {};
}

// True when the step's output may lie on its first input: nobody reads that input's memory later.
bool Layout::may_reuse(const Step& step, std::int32_t step_index) const {
  if (input_count(step) == 0) return false;
  const Tensor& input = step.operation.in(0);
  const Tensor& output = step.operation.out();
  const Place& source = places_[input_of(step, 0)];
  if (source.constant != nullptr || source.interval < 0) return false;
  return intervals_[source.interval].last <= step_index &&
         tensor_bytes(input) == tensor_bytes(output);
}

// Gives every tensor that lives in the arena its interval, with aliases and in-place outputs
// sharing one.
void Layout::trace_lives(std::int32_t steps) {
  for (std::int32_t i = 0; i < steps; ++i)
    for (std::size_t k = 0; k < input_count(state_->steps[i]); ++k)
      if (const std::int32_t input = input_of(state_->steps[i], k); input >= 0)
        place_of(input).last_read = i;
  // Outputs live to the end, and inputs keep their values so that the next run may start from them.
  for (const format::Port* port : *root_.outputs()) place_of(port->tensor()).last_read = steps;
  for (const format::Port* port : *root_.inputs()) place_of(port->tensor()).last_read = steps;

  const auto begin = [&](std::int32_t tensor, std::size_t bytes, std::int32_t first) {
    Place& place = place_of(tensor);
    place.interval = interval_count_;
    intervals_[interval_count_++] = {
        planned_bytes(bytes), first, place.last_read > first ? place.last_read : first, 0, 0, 0};
  };
  for (flatbuffers::uoffset_t i = 0; i < root_.inputs()->size(); ++i) {
    const std::int32_t tensor = root_.inputs()->Get(i)->tensor();
    if (place_of(tensor).interval < 0) begin(tensor, tensor_bytes(state_->inputs[i]), 0);
  }
  for (std::int32_t i = 0; i < steps; ++i) {
    const Step& step = state_->steps[i];
    scratch_interval_[i] = -1;
    if (step.scratch_bytes > 0) {
      scratch_interval_[i] = interval_count_;
      intervals_[interval_count_++] = {planned_bytes(step.scratch_bytes), i, i, 0, 0, 0};
    }
    if (is_activation(step)) continue;
    const std::int32_t output = output_of(step);
    const ops::Memory memory = step.entry->room->memory;
    const bool alias = memory == ops::Memory::kAlias;
    if (alias || (memory == ops::Memory::kInPlace && may_reuse(step, i))) {
      const Place& source = place_of(input_of(step, 0));
      place_of(output).interval = source.interval;
      place_of(output).constant = source.constant;
      if (source.interval >= 0) {
        plan::Interval& shared = intervals_[source.interval];
        if (place_of(output).last_read > shared.last) shared.last = place_of(output).last_read;
      }
    } else {
      begin(output, tensor_bytes(step.operation.out()), i);
    }
  }
  if (state_->samples_at_once == options_.batch) return;
  // Outputs hold all of the batch from its first part on, as inputs do.
  for (flatbuffers::uoffset_t i = 0; i < root_.outputs()->size(); ++i) {
    const std::int32_t interval = place_of(root_.outputs()->Get(i)->tensor()).interval;
    if (interval < 0) continue;
    plan::Interval& output = intervals_[interval];
    const std::size_t bytes = planned_bytes(tensor_bytes(state_->outputs[i]));
    output.first = 0;
    if (output.bytes < bytes) output.bytes = bytes;
  }
}

void Layout::plan() {
  const std::int32_t steps = state_->step_count;
  const auto tensors = static_cast<std::size_t>(tensor_count());
  // The block will begin where the working table stands now; addresses are written before the table
  // goes.
  std::byte* block = arena_.top();
  places_ = arena_.allocate_array<Place>(tensors);
  intervals_ = arena_.allocate_array<plan::Interval>(root_.inputs()->size() +
                                                     2 * static_cast<std::size_t>(steps));
  scratch_interval_ = arena_.allocate_array<std::int32_t>(static_cast<std::size_t>(steps));
  if (arena_.overflowed()) return;
  for (std::int32_t tensor = 0; tensor < tensor_count(); ++tensor)
    place_of(tensor) = {-1, -1, tensor_view(root_, tensor, 1).data};
  trace_lives(steps);

  const std::span<plan::Interval> intervals(intervals_, static_cast<std::size_t>(interval_count_));
  state_->activation_bytes = plan::place(intervals);
  state_->peak_live_bytes = plan::peak_live(intervals);

  if (!arena_.measuring()) set_addresses(block);
  arena_.release(scratch_interval_);
  arena_.release(intervals_);
  arena_.release(places_);
  arena_.reserve(state_->activation_bytes);
}

// Points every view at its constant in the file or its place in `block`.
void Layout::set_addresses(std::byte* block) {
  const auto point = [&](Tensor& view, std::int32_t tensor) {
    if (tensor < 0) return;
    const Place& place = place_of(tensor);
    view.data = place.interval < 0 ? place.constant : block + intervals_[place.interval].offset;
    view.constant = place.interval < 0;
  };
  for (flatbuffers::uoffset_t i = 0; i < root_.inputs()->size(); ++i)
    point(state_->inputs[i], root_.inputs()->Get(i)->tensor());
  for (flatbuffers::uoffset_t i = 0; i < root_.outputs()->size(); ++i)
    point(state_->outputs[i], root_.outputs()->Get(i)->tensor());
  for (std::int32_t i = 0; i < state_->step_count; ++i) {
    Step& step = state_->steps[i];
    for (std::size_t k = 0; k < input_count(step); ++k)
      point(step.input_views[k], input_of(step, k));
    point(*step.output_view, output_of(step));
    if (scratch_interval_[i] >= 0)
      step.operation.scratch = block + intervals_[scratch_interval_[i]].offset;
  }
}

Status Layout::bind() {
#ifdef FIGMENT_WITH_XNNPACK
  const xnnpack::ArenaScope scope(arena_);
#endif
  for (std::int32_t i = 0; i < state_->step_count; ++i)
    if (!bind_step(state_->steps[i])) return refused_by_xnnpack(state_->steps[i]);
  // A run before the caller has filled the inputs computes from zeros, not from what the arena
  // held.
  for (int i = 0; i < static_cast<int>(root_.inputs()->size()); ++i)
    std::memset(state_->inputs[i].data, 0, tensor_bytes(state_->inputs[i]));
  return {};
}

}  // namespace

Status lay_out(const Model& model, const Options& options, Arena& arena, Session::State*& state,
               const PackedRecorder* recorder) {
  return Layout(model, options, arena, recorder).run(state);
}

const Step* show_samples(Session::State& state, std::int32_t first) {
  const auto samples = static_cast<std::size_t>(state.samples_at_once);
  const auto at = static_cast<std::size_t>(first);
  const Tensor* const ports_end = state.outputs + state.root->outputs()->size();
  for (std::int32_t i = 0; i < state.step_count; ++i) {
    Step& step = state.steps[i];
    bool moves = false;
    // The output follows the inputs; an activation's only view is both.
    for (Tensor* view = step.input_views; view <= step.output_view; ++view) {
      const std::size_t part = tensor_bytes(*view);
      // The session's inputs, and its outputs after them, are views of the whole batch.
      for (const Tensor* port = state.inputs; port < ports_end; ++port) {
        const std::size_t whole = tensor_bytes(*port);
        auto* const base = static_cast<std::byte*>(port->data);
        const std::uintptr_t distance =
            reinterpret_cast<std::uintptr_t>(view->data) - reinterpret_cast<std::uintptr_t>(base);
        if (part == whole || distance >= whole) continue;
        view->data = base + part / samples * at;
        moves = true;
      }
    }
    step.operation.noise_first =
        static_cast<std::size_t>(step.operation.out().elements()) / samples * at;
    if (moves && !bind_step(step)) return &step;
  }
  return nullptr;
}

Status refused_by_xnnpack(const Step& step) {
  Status status =
      backend_error({"XNNPACK refused to run ", step.entry->kind, "; use the portable backend"});
  status.operator_index = step.operator_index;
  return status;
}

}  // namespace figment
