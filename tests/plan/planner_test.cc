// The planner against its definition, on chains, branches and many random life times.
#include "runtime/plan/planner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace figment::plan {
namespace {

Interval block(std::size_t bytes, std::int32_t first, std::int32_t last) {
  return {bytes, first, last, 0, 0, 0};
}

void check_no_overlap(const std::vector<Interval>& intervals, std::size_t total) {
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    CHECK(intervals[i].offset + intervals[i].bytes <= total);
    for (std::size_t j = 0; j < i; ++j) {
      const Interval& a = intervals[i];
      const Interval& b = intervals[j];
      const bool together = a.first <= b.last && b.first <= a.last;
      const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
      CHECK((!together || apart));
    }
  }
}

TEST_CASE("a chain needs its two largest neighbours") {
  std::vector<Interval> chain{block(64, 0, 1), block(512, 1, 2), block(256, 2, 3),
                              block(1024, 3, 4)};
  const std::size_t total = place(chain);
  CHECK(total == 1280);
  CHECK(peak_live(chain) == 1280);
  check_no_overlap(chain, total);
}

TEST_CASE("nothing needs nothing") {
  std::vector<Interval> none;
  CHECK(place(none) == 0);
  CHECK(peak_live(none) == 0);
}

TEST_CASE("a block that ends before another begins shares its place") {
  std::vector<Interval> pair{block(100, 0, 1), block(100, 2, 3)};
  CHECK(place(pair) == 100);
  CHECK(pair[0].offset == pair[1].offset);
}

TEST_CASE("random life times never overlap and stay near the bound") {
  std::mt19937 random(5);
  double worst = 1;
  for (int round = 0; round < 200; ++round) {
    std::vector<Interval> intervals;
    const int count = 1 + static_cast<int>(random() % 40);
    for (int i = 0; i < count; ++i) {
      const auto first = static_cast<std::int32_t>(random() % 20);
      intervals.push_back(
          block((1 + random() % 64) * 64, first, first + static_cast<std::int32_t>(random() % 6)));
    }
    const std::size_t total = place(intervals);
    check_no_overlap(intervals, total);
    const std::size_t bound = peak_live(intervals);
    CHECK(total >= bound);
    worst = std::max(worst, static_cast<double>(total) / static_cast<double>(bound));
  }
  CHECK(worst < 1.5);
}

TEST_CASE("more than can be addressed is told as more, not as what is left of it") {
  constexpr std::size_t kThird = SIZE_MAX / 3 / 64 * 64;
  std::vector<Interval> intervals(5, block(kThird, 0, 0));
  CHECK(place(intervals) > SIZE_MAX / 4);
  CHECK(peak_live(intervals) > SIZE_MAX / 4);
}

TEST_CASE("the same life times are placed alike") {
  std::vector<Interval> a{block(64, 0, 3), block(64, 1, 2), block(64, 2, 5), block(128, 0, 0)};
  std::vector<Interval> b = a;
  place(a);
  place(b);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i].offset == b[i].offset);
}

}  // namespace
}  // namespace figment::plan
