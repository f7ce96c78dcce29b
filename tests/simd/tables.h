// What the tests of the loops share: every table that this processor has, and random numbers.
#pragma once

#include <doctest/doctest.h>
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "runtime/simd/kernels.h"
#include "tests/support/guarded.h"

namespace figment::simd {

using testing::Guarded;

// Calls `check` with each table of this processor; afterwards the best one is chosen again.
template <typename Check>
void with_every_table(const Check& check) {
  struct Restore {
    ~Restore() { cap_kernels(nullptr); }
  } restore;
  int count = 0;
  for (auto candidate = tables().rbegin(); candidate != tables().rend(); ++candidate) {
    if (!cap_kernels((*candidate)->name)) continue;
    const std::string table = (*candidate)->name;
    CAPTURE(table);
    check(kernels());
    ++count;
  }
  CHECK(count > 0);
}

// Evenly distributed in [-1, 1); the same for the same seed.
inline std::vector<float> random_floats(std::int64_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(generator() >> 8) / 8388608.0F - 1.0F;
  return values;
}

}  // namespace figment::simd
