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
}  // namespace internal

// Calls body(thread, first, last) for parts of 0 to `count`: one part a thread, each at most once,
// thread < thread_count().
template <typename Function>
void share(pthreadpool* threads, std::int64_t count, const Function& body) {
  internal::share(
      threads, count, &body,
      [](const void* context, std::size_t thread, std::int64_t first, std::int64_t last) {
        (*static_cast<const Function*>(context))(thread, first, last);
      });
}

// Elements below which a thread costs more than it saves.
inline constexpr std::int64_t kWorthSharing = 65536;

// body(first, last) over elements, shared out where there are enough of them.
template <typename Function>
void share_elements(pthreadpool* threads, std::int64_t count, const Function& body) {
  share(count < kWorthSharing ? nullptr : threads, count,
        [&](std::size_t, std::int64_t first, std::int64_t last) { body(first, last); });
}

}  // namespace figment::train
