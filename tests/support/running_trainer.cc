// Creates, feeds, and asks for deltas.
#include "tests/support/running_trainer.h"

#include <doctest/doctest.h>

namespace figment::testing {
namespace {

std::size_t exact_bytes(const TrainedModels& models, const TrainOptions& options) {
  const Result<std::size_t> need = Trainer::arena_bytes(models, options);
  REQUIRE_MESSAGE(need.ok(), std::string(need.status().message()));
  return *need;
}

Trainer create(const TrainedModels& models, std::span<std::byte> arena,
               const TrainOptions& options) {
  Result<Trainer> trainer = Trainer::create(models, arena, options);
  REQUIRE_MESSAGE(trainer.ok(), std::string(trainer.status().message()));
  return *trainer;
}

}  // namespace

RunningTrainer::RunningTrainer(const TrainedModels& models, const TrainOptions& options)
    : arena(exact_bytes(models, options)), trainer(create(models, arena.span(), options)) {}

void RunningTrainer::fill(std::uint64_t seed) const {
  fill_normal(trainer.examples(), seed);
  if (const Tensor targets = trainer.targets(); targets.present())
    fill_normal(targets, seed + 1000);
}

void RunningTrainer::learn(int count, std::uint64_t seed) {
  for (int i = 0; i < count; ++i) {
    fill(seed + static_cast<std::uint64_t>(i));
    const Status status = trainer.step();
    REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
  }
}

AlignedMemory RunningTrainer::delta(std::uint64_t examples_seen) const {
  const Result<std::size_t> refused = trainer.write_delta({}, examples_seen);
  REQUIRE_FALSE(refused.ok());
  REQUIRE_MESSAGE(refused.status().code == ErrorCode::kArenaTooSmall,
                  std::string(refused.status().message()));
  AlignedMemory bytes(refused.status().bytes_needed);
  const Result<std::size_t> size = trainer.write_delta(bytes.span(), examples_seen);
  REQUIRE_MESSAGE(size.ok(), std::string(size.status().message()));
  REQUIRE(*size == bytes.span().size());
  return bytes;
}

}  // namespace figment::testing
