// The public Trainer: lays a run out in the caller's arena, and steps.
//
// The arena from its low end: the State, what learns and what it needs between steps, the
// instructions and their operands; then one block that the planner has shared out by life time.
// While the program is written, its working tables stand where that block will be.
#include "figment/train.h"

#include <cstring>
#include <new>

#include "runtime/train/instructions.h"
#include "runtime/train/optimizers.h"
#include "runtime/train/tasks.h"
#include "runtime/train/threads.h"

namespace figment {
namespace {

using train::Context;
using train::Instruction;
using train::Pass;
using train::Phase;

#ifdef FIGMENT_WITHOUT_HEAP
constexpr bool kBorrows = false;
#else
constexpr bool kBorrows = true;
#endif

Status check_options(const TrainedModels& models, const TrainOptions& options) {
  if (options.batch < 1 || options.accumulation < 1 || options.partner_steps < 1)
    return bad_argument({"batch, accumulation and partner_steps must be at least 1"});
  if (const char* part = train::missing_part(options))
    return unsupported({"this build learns without '", part, "'; add it to -DFIGMENT_LEARN"});
  const auto is_positive = [](float value) { return value > 0 && value - value == 0; };
  if (!is_positive(options.optimizer.learning_rate))
    return bad_argument({"the learning rate must be a number above 0"});
  if (options.schedule != Schedule::kConstant && options.updates <= 0)
    return bad_argument({"a schedule needs the number of updates"});
  for (const Model* model : {&models.model, models.partner}) {
    if (model == nullptr) continue;
    const Selection& selection =
        model == models.partner ? options.partner_selection : options.selection;
    if (selection.learns != Learns::kNothing && model->tuning() != Tuning::kNone)
      return bad_argument({"'", model->name(),
                           "' was tuned: its packed weights would not learn; train the model as it "
                           "was before, and tune the result"});
    if (options.batch == 1) continue;
    if (!model->any_batch())
      return bad_argument({"the source of '", model->name(),
                           "' fixed its batch: only batch 1 trains; use accumulation"});
    // The extents that grow must stay indexable before any of them is multiplied.
    for (const format::Tensor* tensor : *model->root().tensors()) {
      if (tensor->batch_axis() < 0) continue;
      std::int64_t elements = options.batch;
      for (const std::int32_t extent : *tensor->shape()) elements *= extent;
      if (elements > kMaxElements)
        return bad_argument({"a batch of ", options.batch, " makes tensors of more than ",
                             kMaxElements, " elements"});
    }
    FIG_TRY(check_shapes(model->root(), options.batch));
  }
  return {};
}

Status check_alignment(std::span<std::byte> memory) {
  if (reinterpret_cast<std::uintptr_t>(memory.data()) % kArenaAlignment != 0)
    return bad_argument({"the arena must begin at a multiple of ", kArenaAlignment});
  return {};
}

// On overflow of the arena `state` stays null.
Status lay_out(const TrainedModels& models, const TrainOptions& options, Arena& arena,
               Trainer::State*& result) {
  auto* memory = arena.allocate_array<Trainer::State>(1);
  if (memory == nullptr) return {};
  Trainer::State& state = *new (memory) Trainer::State{};
  state.options = options;
  state.models[0] = &models.model;
  state.models[1] = models.partner;
  state.roots[0] = &models.model.root();
  state.roots[1] = models.partner == nullptr ? nullptr : &models.partner->root();
  state.loops = &train::loops_of(options.backend);
  for (Tensor* tensor : {&state.examples, &state.targets, &state.labels}) tensor->absent = true;

  train::TaskPlan plan;
  FIG_TRY(train::plan_task(state, plan));
  FIG_TRY(train::choose_parameters(state, plan.roles, arena));
  if (arena.overflowed()) return {};

  train::PassSize size = train::task_size(state);
  for (int i = 0; i < plan.pass_count; ++i) size += train::pass_size(state, plan.passes[i]);
  auto* instructions =
      arena.allocate_array<Instruction>(static_cast<std::size_t>(size.instructions));
  auto* tensors = arena.allocate_array<Tensor>(size.views);
  if (arena.overflowed()) return {};
  for (std::size_t i = 0; i < size.views; ++i) new (&tensors[i]) Tensor;
  train::Views views{{tensors, size.views}, 0};

  train::Program program(arena);
  if (!program.begin({instructions, static_cast<std::size_t>(size.instructions)},
                     {size.instructions, size.values, size.places}))
    return {};
  std::size_t nodes = 0;
  for (int i = 0; i < plan.pass_count; ++i)
    nodes += Pass::node_count(*state.roots[plan.passes[i].model]);
  auto* node_memory = static_cast<Pass::Node*>(arena.allocate(nodes * Pass::node_bytes()));
  if (node_memory == nullptr) return {};
  alignas(Pass) std::byte pass_memory[train::kMostPasses][sizeof(Pass)];
  auto* passes = reinterpret_cast<Pass*>(pass_memory);
  std::size_t used = 0;
  for (int i = 0; i < plan.pass_count; ++i) {
    new (&passes[i]) Pass(state, program, views, plan.passes[i], Pass::node_at(node_memory, used));
    used += Pass::node_count(*state.roots[plan.passes[i].model]);
  }
  train::emit_task(state, program, {passes, static_cast<std::size_t>(plan.pass_count)});
  state.instructions = {instructions, static_cast<std::size_t>(program.count())};
  arena.release(node_memory);
  state.activation_bytes = program.place();
  if (!arena.overflowed()) result = &state;
  return {};
}

Status too_small(std::size_t given, std::size_t needed) {
  Status status = make_error(ErrorCode::kArenaTooSmall,
                             {"the arena has ", given, " bytes but this training needs ", needed,
                              "; Trainer::arena_bytes tells before"});
  status.bytes_needed = needed;
  return status;
}

// A stream of its own for each step: as many keys lie between two as there are noise operators in
// no model.
std::uint64_t key_of(std::uint64_t seed, std::int64_t step) {
  return seed + (static_cast<std::uint64_t>(step) + 1) * 0x9e3779b97f4a7c15U;
}

float grown(float value, std::int64_t updates, std::int64_t warm_up) {
  return updates < warm_up ? value * static_cast<float>(updates) / static_cast<float>(warm_up)
                           : value;
}

}  // namespace

Result<std::size_t> Trainer::arena_bytes(const TrainedModels& models, const TrainOptions& options,
                                         std::span<std::byte> workspace) {
  FIG_TRY(check_options(models, options));
  FIG_TRY(check_alignment(workspace));
  Arena arena{Arena::Measure{workspace}};
  State* state = nullptr;
  FIG_TRY(lay_out(models, options, arena, state));
  if (arena.overflowed())
    return make_error(ErrorCode::kArenaTooSmall,
                      {"there is too little memory to measure this training in"});
  return arena.high_water();
}

Result<Trainer> Trainer::create(const TrainedModels& models, std::span<std::byte> memory,
                                const TrainOptions& options) {
  FIG_TRY(check_options(models, options));
  FIG_TRY(check_alignment(memory));
  Arena arena(memory.data(), memory.size());
  State* state = nullptr;
  const Status status = lay_out(models, options, arena, state);
  if (arena.overflowed()) {
    const Result<std::size_t> needed =
        arena_bytes(models, options, kBorrows ? std::span<std::byte>() : memory);
    return needed.ok() ? too_small(memory.size(), *needed) : needed.status();
  }
  FIG_TRY(status);
  for (const Tensor* tensor : {&state->examples, &state->targets, &state->labels})
    if (tensor->present()) std::memset(tensor->data, 0, tensor_bytes(*tensor));
  return Trainer(state);
}

Tensor Trainer::examples() const { return state_->examples; }
Tensor Trainer::targets() const { return state_->targets; }
Tensor Trainer::labels() const { return state_->labels; }

Status Trainer::step() {
  State& state = *state_;
  const TrainOptions& options = state.options;
  train::Counters& counters = *state.counters;
  const std::int64_t part = counters.steps % options.accumulation;
  const bool moves = part + 1 == options.accumulation;
  if (part == 0 && !state.gradients.empty())
    std::memset(state.gradients.data(), 0, state.gradients.size_bytes());
  const bool in_turn = (counters.steps / options.accumulation + 1) % options.partner_steps == 0;

  Context context{.state = state};
  context.noise_key = key_of(options.seed, counters.steps);
  context.beta = grown(options.beta, counters.updates, options.beta_warm_up);
  const float rate = options.optimizer.learning_rate;
  const float partner = options.partner_learning_rate > 0 ? options.partner_learning_rate : rate;
  context.learning_rates[0] = train::learning_rate_of(options, rate, counters.updates);
  context.learning_rates[1] = train::learning_rate_of(options, partner, counters.updates);
  for (float& scale : context.gradient_scales) scale = 1 / static_cast<float>(options.accumulation);
  state.report.learning_rate = context.learning_rates[0];

  train::with_threads(options.threads, [&] {
    for (const Instruction& instruction : state.instructions) {
      if (instruction.phase == Phase::kUpdate && !moves) continue;
      if (instruction.only_in_turn && !in_turn) continue;
      instruction.run(context, instruction);
      if (context.broken != nullptr) return;
    }
  });
  if (context.broken != nullptr) return train::blame(context);
  ++counters.steps;
  if (moves) ++counters.updates;
  state.report.updates = counters.updates;
  return {};
}

Status Trainer::evaluate(std::uint64_t seed) {
  Context context{.state = *state_};
  context.evaluating = true;
  context.noise_key = seed;
  context.beta = state_->options.beta;
  train::with_threads(state_->options.threads, [&] {
    for (const Instruction& instruction : state_->instructions) {
      if (instruction.phase != Phase::kLoss) continue;
      instruction.run(context, instruction);
      if (context.broken != nullptr) return;
    }
  });
  return context.broken != nullptr ? train::blame(context) : Status{};
}

TrainReport Trainer::report() const { return state_->report; }
int Trainer::learned_count() const { return static_cast<int>(state_->parameters.size()); }

LearnedTensor Trainer::learned(int index) const {
  const train::Parameter& parameter = state_->parameters[static_cast<std::size_t>(index)];
  LearnedTensor tensor;
  tensor.model = parameter.model;
  tensor.tensor = parameter.tensor;
  tensor.name = text(state_->roots[parameter.model]
                         ->tensors()
                         ->Get(static_cast<flatbuffers::uoffset_t>(parameter.tensor))
                         ->name());
  tensor.shape = parameter.source.shape;
  const auto size = [](std::int64_t count) { return static_cast<std::size_t>(count); };
  const float* values = parameter.average != nullptr ? parameter.average : parameter.values;
  if (parameter.adapts()) {
    tensor.rank = parameter.rank;
    tensor.left = {values, size(parameter.rows * parameter.rank)};
    tensor.right = {values + tensor.left.size(), size(parameter.rank * parameter.columns)};
  } else {
    tensor.values = {values, size(parameter.count)};
  }
  return tensor;
}

int Trainer::blocking_count() const { return static_cast<int>(state_->blockings.size()); }
Trainer::Blocking Trainer::blocking(int index) const {
  return state_->blockings[static_cast<std::size_t>(index)];
}

std::span<std::byte> Trainer::state() { return state_->persistent; }
std::size_t Trainer::state_bytes() const { return state_->persistent.size(); }
std::size_t Trainer::activation_bytes() const { return state_->activation_bytes; }

}  // namespace figment
