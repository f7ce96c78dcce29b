// What a step consists of, for each task: passes through the models, and the losses between them.
#pragma once

#include "runtime/train/parameters.h"
#include "runtime/train/pass.h"

namespace figment::train {

inline constexpr int kMostPasses = 4;

struct TaskPlan {
  PassOptions passes[kMostPasses];
  int pass_count = 0;
  Role roles[2];
};

// Refuses models that do not go together, and says which passes the task takes.
Status plan_task(const Trainer::State& state, TaskPlan& plan);

// Instructions, values and places that a task emits besides its passes, at most.
PassSize task_size(const Trainer::State& state);

// Emits the whole step. `passes`: those of the plan.
void emit_task(Trainer::State& state, Program& program, std::span<Pass> passes);

}  // namespace figment::train
