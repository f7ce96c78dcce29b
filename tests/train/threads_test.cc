// Work that is shared out is done once, by threads of different numbers, inside a step and outside.
#include "runtime/train/threads.h"

#include <doctest/doctest.h>

#include <atomic>
#include <numeric>
#include <vector>

#include "tests/support/threads.h"

using namespace figment;
using namespace figment::train;

namespace {

// How often each of `count` was worked on; no two parts at once may have one thread's number.
std::vector<int> share_out(pthreadpool* threads, std::int64_t count) {
  std::vector<std::atomic<int>> busy(thread_count(threads));
  std::vector<int> worked(static_cast<std::size_t>(count), 0);
  std::atomic<int> clashes = 0;
  share(threads, count, [&](std::size_t thread, std::int64_t first, std::int64_t last) {
    if (busy[thread].fetch_add(1) != 0) ++clashes;
    for (std::int64_t i = first; i < last; ++i) ++worked[static_cast<std::size_t>(i)];
    busy[thread].fetch_sub(1);
  });
  CHECK(clashes == 0);
  return worked;
}

void check_all(pthreadpool* threads) {
  for (const std::int64_t count : {0, 1, 2, 3, 5, 1000})
    CHECK(share_out(threads, count) == std::vector<int>(static_cast<std::size_t>(count), 1));
}

}  // namespace

TEST_CASE("every part is done once, with any number of threads") {
  for (const std::size_t count : {1U, 2U, 3U, 5U}) {
    CAPTURE(count);
    const test::Threads threads(count);
    check_all(threads.get());
    with_threads(threads.get(), [&] { check_all(threads.get()); });
  }
}

TEST_CASE("tasks that follow each other at once are not mixed up") {
  const test::Threads threads(3);
  std::vector<std::int64_t> values(64, 0);
  with_threads(threads.get(), [&] {
    for (std::int64_t round = 1; round <= 20000; ++round)
      share(threads.get(), 64, [&](std::size_t, std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) values[static_cast<std::size_t>(i)] += round;
      });
  });
  CHECK(values == std::vector<std::int64_t>(64, 20000LL * 20001 / 2));
}

TEST_CASE("each use of the threads ends before the next begins") {
  const test::Threads threads(2);
  std::int64_t sum = 0;
  for (int round = 0; round < 2000; ++round) {
    std::int64_t parts[2] = {};
    with_threads(threads.get(), [&] {
      share(threads.get(), 2, [&](std::size_t, std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) parts[i] = i + 1;
      });
    });
    sum += parts[0] + parts[1];
  }
  CHECK(sum == 3 * 2000);
}
