// Sharing out over pthreadpool, which comes with the fast backend; without it everything runs on
// the caller's thread.
#include "runtime/train/threads.h"

#ifdef FIGMENT_WITH_XNNPACK
#include <pthreadpool.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#endif

namespace figment::train {

#ifdef FIGMENT_WITH_XNNPACK

namespace {

using internal::Body;

struct Task {
  const void* context = nullptr;
  Body body = nullptr;
  std::int64_t count = 0;
  std::int64_t parts = 0;
};

// A moment's wait for another thread.
class Wait {
 public:
  void operator()() {
    // Long enough for the next task of a step; beyond, others may want the processor.
    constexpr int kPatience = 4096;
    if (++turns_ > kPatience) {
      sched_yield();
      return;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("yield");
#endif
  }

 private:
  int turns_ = 0;
};

// Threads that wait for tasks. Their leader never waits for one that has not begun: what nobody
// takes, it does itself.
class Team {
 public:
  Team(pthreadpool* pool, const void* context, void (*call)(const void*))
      : pool_(pool), context_(context), call_(call) {}

  static Team* of_this_thread(pthreadpool* pool) {
    return led_ != nullptr && led_->pool_ == pool ? led_ : nullptr;
  }

  void work() {
    led_ = this;
    pthreadpool_parallelize_1d(
        pool_, [](void* team, std::size_t) { static_cast<Team*>(team)->join(); }, this,
        thread_count(pool_), 0);
    led_ = nullptr;
  }

  void share(const Task& task) {
    const std::uint64_t turn = (left_.load(std::memory_order_relaxed) >> 32) + 1;
    task_ = task;
    finished_.store(0, std::memory_order_relaxed);
    left_.store(turn << 32 | static_cast<std::uint32_t>(task.parts), std::memory_order_release);
    while (run_part(0)) continue;
    for (Wait wait; finished_.load(std::memory_order_acquire) < task.parts;) wait();
  }

 private:
  // The caller's thread takes part in its own pool; what it takes first is the work.
  void join() {
    if (led_ == this && !begun_) {
      begun_ = true;
      call_(context_);
      left_.store(kOver, std::memory_order_release);
      return;
    }
    const std::size_t thread = helpers_.fetch_add(1, std::memory_order_relaxed) + 1;
    for (Wait wait; left_.load(std::memory_order_acquire) != kOver;) {
      if (run_part(thread))
        wait = {};
      else
        wait();
    }
  }

  // Takes a part that is left and runs it; false: there is none.
  bool run_part(std::size_t thread) {
    std::uint64_t left = left_.load(std::memory_order_acquire);
    do {
      // task_ may be looked at only when a part of it is taken: until then the next may come.
      if (left == kOver || static_cast<std::uint32_t>(left) == 0) return false;
    } while (!left_.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel));
    const std::int64_t part = task_.parts - static_cast<std::uint32_t>(left);
    task_.body(task_.context, thread, task_.count * part / task_.parts,
               task_.count * (part + 1) / task_.parts);
    finished_.fetch_add(1, std::memory_order_release);
    return true;
  }

  static constexpr std::uint64_t kOver = ~std::uint64_t{0};
  static thread_local Team* led_;

  pthreadpool* pool_;
  const void* context_;
  void (*call_)(const void*);
  bool begun_ = false;
  Task task_;
  // The number of the task, and in the lower half how many of its parts nobody has taken.
  alignas(64) std::atomic<std::uint64_t> left_{0};
  alignas(64) std::atomic<std::int64_t> finished_{0};
  std::atomic<std::size_t> helpers_{0};
};

constinit thread_local Team* Team::led_ = nullptr;

}  // namespace

std::size_t thread_count(pthreadpool* threads) {
  return threads == nullptr ? 1 : pthreadpool_get_threads_count(threads);
}

namespace internal {

void share(pthreadpool* threads, std::int64_t count, const void* context, Body body) {
  const auto threads_count = static_cast<std::int64_t>(thread_count(threads));
  if (threads_count == 1 || count < 2) {
    if (count > 0) body(context, 0, 0, count);
    return;
  }
  const Task task{context, body, count, std::min(count, threads_count)};
  if (Team* team = Team::of_this_thread(threads)) return team->share(task);
  train::with_threads(threads, [&] { Team::of_this_thread(threads)->share(task); });
}

void with_threads(pthreadpool* threads, const void* context, void (*work)(const void*)) {
  if (thread_count(threads) == 1) return work(context);
  Team(threads, context, work).work();
}

}  // namespace internal

#else

std::size_t thread_count(pthreadpool*) { return 1; }

namespace internal {

void share(pthreadpool*, std::int64_t count, const void* context, Body body) {
  if (count > 0) body(context, 0, 0, count);
}

void with_threads(pthreadpool*, const void* context, void (*work)(const void*)) { work(context); }

}  // namespace internal

#endif

}  // namespace figment::train
