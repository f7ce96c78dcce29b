// Threads for tests.
#pragma once

#include <cstddef>
#include <memory>

#include "figment/figment.h"

namespace figment::test {

// A pool of `count` threads, the caller's among them. Null where this build has none: then tests
// run on the caller's alone.
class Threads {
 public:
  explicit Threads(std::size_t count);
  pthreadpool* get() const { return pool_.get(); }

 private:
  std::unique_ptr<pthreadpool, void (*)(pthreadpool*)> pool_;
};

}  // namespace figment::test
