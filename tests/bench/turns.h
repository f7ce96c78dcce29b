// Times several ways to do one thing in one process and in turn, so that the machine's moods fall
// on all of them.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "targets/host/process.h"
#include "targets/host/statistics.h"

namespace figment::bench {

class Contender {
 public:
  explicit Contender(std::function<void()> work) : work_(std::move(work)) {}

  // Times a block: a few runs that bring the weights back into the cache, as a program that draws
  // one sample after another finds them, then `count` measurements.
  void take_turn(int count) {
    if (repeats_ == 0) choose_repeats();
    for (int i = 0; i < warm_ups_; ++i) work_();
    for (int i = 0; i < count; ++i) milliseconds_.push_back(measure());
  }

  // Of one run. After the first turn.
  host::Statistics times() const { return host::summarize(milliseconds_); }

 private:
  // A shorter measurement would weigh the clock too, and a longer run warms up in one.
  static constexpr double kLeastMs = 0.2;
  static constexpr double kLongMs = 5;

  double measure() const {
    const double begun = host::now_ms();
    for (int i = 0; i < repeats_; ++i) work_();
    return (host::now_ms() - begun) / repeats_;
  }

  void choose_repeats() {
    repeats_ = 1;
    work_();
    double least = measure();
    for (int i = 0; i < 4 && least < kLongMs; ++i) least = std::min(least, measure());
    repeats_ = std::max(1, static_cast<int>(kLeastMs / least));
    warm_ups_ = least < kLongMs ? 3 * repeats_ : 1;
  }

  std::function<void()> work_;
  std::vector<double> milliseconds_;
  int repeats_ = 0;  // runs in one measurement; 0: not known yet
  int warm_ups_ = 0;
};

// Until each has `measurements`, or `seconds` have passed and each has had a turn.
inline void take_turns(std::vector<Contender>& contenders, int measurements, double seconds) {
  constexpr int kBlock = 5;
  const double end = host::now_ms() + 1000 * seconds;
  for (int done = 0; done < measurements; done += kBlock) {
    if (done > 0 && host::now_ms() > end) return;
    for (Contender& contender : contenders)
      contender.take_turn(std::min(kBlock, measurements - done));
  }
}

}  // namespace figment::bench
