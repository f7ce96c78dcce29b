// Threads for tests.
#include "tests/support/threads.h"

#ifdef FIGMENT_WITH_XNNPACK
#include <pthreadpool.h>
#endif

namespace figment::test {

#ifdef FIGMENT_WITH_XNNPACK
Threads::Threads(std::size_t count) : pool_(pthreadpool_create(count), pthreadpool_destroy) {}
#else
Threads::Threads(std::size_t) : pool_(nullptr, [](pthreadpool*) {}) {}
#endif

}  // namespace figment::test
