// Threads from pthreadpool, where the build has it.
#include "targets/host/thread_pool.h"

#include "targets/host/exit_code.h"

#ifdef FIGMENT_WITH_XNNPACK
#include <pthreadpool.h>
#endif

namespace figment::host {

#ifdef FIGMENT_WITH_XNNPACK

void DestroyPool::operator()(pthreadpool* pool) const { pthreadpool_destroy(pool); }

ThreadPool make_thread_pool(int threads) {
  if (threads <= 1) return nullptr;
  ThreadPool pool(pthreadpool_create(static_cast<std::size_t>(threads)));
  if (pool == nullptr) throw VerbError(ExitCode::kBackend, "the threads cannot be started");
  return pool;
}

#else

void DestroyPool::operator()(pthreadpool*) const {}

ThreadPool make_thread_pool(int threads) {
  if (threads <= 1) return nullptr;
  throw VerbError(ExitCode::kUnsupported,
                  "this build has no XNNPACK, and threads come with it; use --threads 1");
}

#endif

}  // namespace figment::host
