// The order of examples in an epoch, without a table of it.
#pragma once

#include <cstdint>

namespace figment::host {

// A permutation of 0 .. count-1 that depends on seed and epoch alone; any place of it is computed
// by itself, so a run can go on in the middle of an epoch.
class Shuffle {
 public:
  // `count` from 1 to 2^62.
  Shuffle(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

  // Which example comes at `position`.
  std::int64_t operator[](std::int64_t position) const;

 private:
  std::uint64_t count_;
  int half_bits_;
  std::uint64_t key_;
};

}  // namespace figment::host
