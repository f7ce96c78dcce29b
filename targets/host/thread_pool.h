// The caller's thread pool, as Options wants it.
#pragma once

#include <memory>

#include "figment/figment.h"

namespace figment::host {

struct DestroyPool {
  void operator()(pthreadpool* pool) const;
};
using ThreadPool = std::unique_ptr<pthreadpool, DestroyPool>;

// Null for one thread. Throws VerbError: kUnsupported in a build without XNNPACK (pthreadpool comes
// with it), kBackend when the threads cannot be started.
ThreadPool make_thread_pool(int threads);

}  // namespace figment::host
