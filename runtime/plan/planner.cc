// Greedy placement by size (the "greedy by size" of Pisarchyk and Lee, 2020, "Efficient Memory
// Management for Deep Neural Net Inference").
#include "runtime/plan/planner.h"

#include <algorithm>

namespace figment::plan {
namespace {

constexpr std::int32_t kNone = -1;

// What does not fit into an address passes for this, which no arena has (base/arena.cc).
constexpr std::size_t kTooMuch = SIZE_MAX / 2;

std::size_t add(std::size_t a, std::size_t b) {
  return a > kTooMuch || b > kTooMuch - a ? kTooMuch : a + b;
}

bool live_together(const Interval& a, const Interval& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

std::size_t place(std::span<Interval> intervals) {
  const auto count = static_cast<std::int32_t>(intervals.size());
  const auto at = [&](std::int32_t index) -> Interval& {
    return intervals[static_cast<std::size_t>(index)];
  };

  // order[i] of the i-th interval holds the index of the i-th largest; ties go to the earlier one,
  // so that every platform places alike.
  for (std::int32_t i = 0; i < count; ++i) {
    std::int32_t position = i;
    for (; position > 0 && at(at(position - 1).order).bytes < at(i).bytes; --position)
      at(position).order = at(position - 1).order;
    at(position).order = i;
  }

  std::int32_t lowest = kNone;  // head of the placed blocks, linked by rising offset
  std::size_t total = 0;
  for (std::int32_t rank = 0; rank < count; ++rank) {
    const std::int32_t index = at(rank).order;
    Interval& block = at(index);
    std::size_t offset = 0;
    for (std::int32_t other = lowest; other != kNone; other = at(other).next) {
      if (!live_together(at(other), block)) continue;
      if (add(offset, block.bytes) <= at(other).offset) break;
      offset = std::max(offset, add(at(other).offset, at(other).bytes));
    }
    block.offset = offset;
    total = std::max(total, add(offset, block.bytes));
    std::int32_t* link = &lowest;
    while (*link != kNone && at(*link).offset <= offset) link = &at(*link).next;
    block.next = *link;
    *link = index;
  }
  return total;
}

std::size_t peak_live(std::span<const Interval> intervals) {
  std::size_t peak = 0;
  // A peak begins where some block begins.
  for (const Interval& start : intervals) {
    std::size_t sum = 0;
    for (const Interval& other : intervals)
      if (other.first <= start.first && start.first <= other.last) sum = add(sum, other.bytes);
    peak = std::max(peak, sum);
  }
  return peak;
}

}  // namespace figment::plan
