// Models tuned as figment tune does it, but for the measurements.
#pragma once

#include <string>
#include <vector>

#include "figment/figment.h"

namespace figment::testing {

// The bytes of a file in which every operator runs as `lowering` says, where it can, and which has
// the weights packed for that, at batch `batch`. Without the fast backend there are none to pack,
// and no build takes the file for its own.
std::vector<std::byte> tune_model(const Model& model, const std::string& lowering = {},
                                  std::int32_t batch = 1);

// What such a file is to this build.
#ifdef FIGMENT_WITH_XNNPACK
inline constexpr Tuning kTunedHere = Tuning::kHere;
#else
inline constexpr Tuning kTunedHere = Tuning::kElsewhere;
#endif

// The same ways, and nothing packed.
std::vector<std::byte> choose_ways(const Model& model, const std::string& lowering);

}  // namespace figment::testing
