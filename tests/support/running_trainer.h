// Trainers as a user would hold them, and the deltas that they write.
#pragma once

#include "figment/train.h"
#include "tests/support/loaded_model.h"

namespace figment::testing {

// A trainer with an arena of exactly the size that arena_bytes names. Both calls must succeed.
struct RunningTrainer {
  RunningTrainer(const TrainedModels& models, const TrainOptions& options);

  // Fills the examples (and float32 targets) with draws that depend on `seed` alone and takes one
  // step, `count` times with seeds that follow each other. Must succeed.
  void learn(int count, std::uint64_t seed = 1);
  void fill(std::uint64_t seed) const;
  // What write_delta writes, into exactly as much room as it asks for.
  AlignedMemory delta(std::uint64_t examples_seen = 100) const;

  AlignedMemory arena;
  Trainer trainer;
};

}  // namespace figment::testing
