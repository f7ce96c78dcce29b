// The course of a training run: steps, and what is told and kept on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "figment/train.h"
#include "targets/host/interrupt.h"
#include "targets/host/train/batches.h"
#include "targets/host/train/checkpoint.h"
#include "targets/host/train/loss_log.h"
#include "targets/host/train/loss_terms.h"

namespace figment::host {

struct TrainingPlan {
  Task task = Task::kSupervised;
  std::uint64_t seed = 0;
  std::int32_t batch = 1, accumulation = 1;
  std::int64_t steps = 0;  // of the whole run
  std::int64_t steps_an_epoch = 0;
  double checkpoint_seconds = 0;      // 0: by steps
  std::int64_t checkpoint_steps = 0;  // 0: by time
  std::int64_t samples_every = 0;     // steps
};

// What a run works with; what is null is not wanted.
struct TrainingParts {
  Trainer& trainer;
  const Batches& batches;
  const Batches* evaluation = nullptr;
  const Checkpoint* checkpoint = nullptr;
  LossLog* log = nullptr;
  const Interrupt* interrupt = nullptr;
  std::function<void()> draw_samples;              // empty: none are wanted
  std::function<void(const std::string&)> report;  // takes a line after each epoch
};

// Means over the steps of an epoch that this process took, and over the evaluation's batches.
struct EpochFigures {
  LossTerms losses;
  LossTerms evaluation;  // empty without
};

struct TrainingResult {
  std::int64_t steps = 0;  // done in the whole run
  bool interrupted = false;
  std::vector<EpochFigures> epochs;  // those that ended here
  double seconds = 0;                // in steps and data
};

// Goes on behind step `done`. The last checkpoint is of the last step done. Throws VerbError; what
// was saved before stays.
TrainingResult run_training(const TrainingPlan& plan, const TrainingParts& parts,
                            std::int64_t done);

}  // namespace figment::host
