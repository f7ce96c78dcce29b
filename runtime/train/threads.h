// Shares work out among a caller's threads, where this build has any.
#pragma once

#include "figment/figment.h"

namespace figment::train {

// How many there are: 1 without a pool.
std::size_t thread_count(pthreadpool* threads);

namespace internal {
using Body = void (*)(const void* context, std::size_t thread, std::int64_t first,
                      std::int64_t last);
void share(pthreadpool* threads, std::int64_t count, const void* context, Body body);
void with_threads(pthreadpool* threads, const void* context, void (*work)(const void*));
}  // namespace internal

// Calls work() on this thread, and keeps the pool's threads awake for the share()s in it: a
// training step has many short ones, and waking a thread takes as long as some of them. The threads
// wait busily, and only as long as work() runs.
template <typename Function>
void with_threads(pthreadpool* threads, const Function& work) {
  internal::with_threads(threads, &work,
                         [](const void* context) { (*static_cast<const Function*>(context))(); });
}

// Calls body(thread, first, last) for parts of 0 to `count`, thread < thread_count(): as many parts
// as there are threads, none of which runs two at once.
template <typename Function>
void share(pthreadpool* threads, std::int64_t count, const Function& body) {
  internal::share(
      threads, count, &body,
      [](const void* context, std::size_t thread, std::int64_t first, std::int64_t last) {
        (*static_cast<const Function*>(context))(thread, first, last);
      });
}

// Elements below which a thread costs more than it saves.
inline constexpr std::int64_t kWorthSharing = 8192;

// body(first, last) over elements, shared out where there are enough of them.
template <typename Function>
void share_elements(pthreadpool* threads, std::int64_t count, const Function& body) {
  share(count < kWorthSharing ? nullptr : threads, count,
        [&](std::size_t, std::int64_t first, std::int64_t last) { body(first, last); });
}

}  // namespace figment::train
