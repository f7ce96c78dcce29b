// Sharing out over pthreadpool, which comes with the fast backend; without it everything runs on
// the caller's thread.
#include "runtime/train/threads.h"

#ifdef FIGMENT_WITH_XNNPACK
#include <pthreadpool.h>
#endif

namespace figment::train {

#ifdef FIGMENT_WITH_XNNPACK

std::size_t thread_count(pthreadpool* threads) {
  return threads == nullptr ? 1 : pthreadpool_get_threads_count(threads);
}

namespace internal {

void share(pthreadpool* threads, std::int64_t count, const void* context, Body body) {
  const auto parts = static_cast<std::int64_t>(thread_count(threads));
  if (parts == 1 || count < 2) {
    if (count > 0) body(context, 0, 0, count);
    return;
  }
  struct Parts {
    const void* context;
    Body body;
    std::int64_t count, parts;
  } all{context, body, count, parts};
  pthreadpool_parallelize_1d(
      threads,
      [](void* argument, std::size_t part) {
        const auto& shared = *static_cast<const Parts*>(argument);
        const auto index = static_cast<std::int64_t>(part);
        const std::int64_t first = shared.count * index / shared.parts;
        const std::int64_t last = shared.count * (index + 1) / shared.parts;
        if (first < last) shared.body(shared.context, part, first, last);
      },
      &all, static_cast<std::size_t>(parts), 0);
}

}  // namespace internal

#else

std::size_t thread_count(pthreadpool*) { return 1; }

namespace internal {

void share(pthreadpool*, std::int64_t count, const void* context, Body body) {
  if (count > 0) body(context, 0, 0, count);
}

}  // namespace internal

#endif

}  // namespace figment::train
