// Counts what this program asks of the heap: every malloc, free and operator new, other libraries'
// too.
#pragma once

#include <cstddef>

namespace figment::testing {

// From its construction to stop(), the calls of this thread. One at a time.
class HeapWatch {
 public:
  HeapWatch();
  ~HeapWatch();
  HeapWatch(const HeapWatch&) = delete;
  HeapWatch& operator=(const HeapWatch&) = delete;

  // How many calls there were.
  long stop();
  // The most that was held at once beyond what was held at first; free() of other threads' blocks
  // and of earlier ones counts as well.
  std::size_t peak_bytes() const;
};

}  // namespace figment::testing
