// The widest operator decides, so that the rule needs no plan of the memory.
#include "runtime/parts.h"

namespace figment {

std::int32_t samples_at_once(const format::Model& root, std::int32_t batch) {
  // What a core has near it on the machines that draw batches. Half and twice of it are within a
  // few hundredths on the bench models (figment bench --batch 32).
  constexpr std::uint64_t kNearBytes = 2 << 20;
  if (root.widest_sample() == 0) return batch;
  const std::uint64_t fitting = kNearBytes / root.widest_sample();
  if (fitting >= static_cast<std::uint32_t>(batch)) return batch;
  // Every part is as large as the others, so that where they do not divide the batch some samples
  // run twice: of the larger half of the sizes that fit, the one with the fewest runs.
  const auto most = static_cast<std::int32_t>(fitting);
  const auto left_over = [&](std::int32_t part) { return (part - batch % part) % part; };
  std::int32_t best = most < 1 ? 1 : most;
  for (std::int32_t part = best - 1; part > most / 2; --part)
    if (left_over(part) < left_over(best)) best = part;
  return best;
}

}  // namespace figment
