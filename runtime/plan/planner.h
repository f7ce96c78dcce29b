// Places blocks that live for a while in as little memory as their life times allow. Pure
// arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace figment::plan {

// A block that must exist from step `first` to step `last`, both included.
struct Interval {
  std::size_t bytes = 0;  // a multiple of the alignment that the caller wants kept
  std::int32_t first = 0;
  std::int32_t last = 0;
  std::size_t offset = 0;  // the answer
  std::int32_t order = 0;  // the planner's own: rank by size
  std::int32_t next = 0;   // the planner's own: the next placed block by offset
};

// Writes every interval's offset so that no two blocks that live at once overlap; returns the bytes
// that they need together. Largest first, each at the lowest offset that is free for all of its
// life; O(n^2), no memory of its own.
std::size_t place(std::span<Interval> intervals);

// The largest sum of bytes alive at one step: no placement can need less.
std::size_t peak_live(std::span<const Interval> intervals);

}  // namespace figment::plan
