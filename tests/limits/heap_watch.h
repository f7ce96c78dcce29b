// Counts what this program asks of the heap: every malloc, free and operator new.
#pragma once

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
};

}  // namespace figment::testing
