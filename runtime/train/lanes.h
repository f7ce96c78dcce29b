// Long rows are summed in as many lanes as vectors of any kind fill, which are added as a tree.
#pragma once

#include <cstdint>

namespace figment::train {

inline constexpr std::int64_t kLanes = 16;
using Lanes = float[kLanes];

inline float add_lanes(const Lanes& lanes) {
  float quarters[4];
  for (int i = 0; i < 4; ++i)
    quarters[i] = (lanes[i] + lanes[i + 8]) + (lanes[i + 4] + lanes[i + 12]);
  return (quarters[0] + quarters[2]) + (quarters[1] + quarters[3]);
}

}  // namespace figment::train
