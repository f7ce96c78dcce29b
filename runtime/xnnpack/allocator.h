// XNNPACK's memory: the arena of the session that is being created.
#pragma once

#include "figment/figment.h"
#include "runtime/base/arena.h"

namespace figment::xnnpack {

// Starts XNNPACK with an allocator that serves from the current thread's ArenaScope. Once in a
// process; later calls return the first one's result. cpuinfo takes memory from the system here,
// and only here.
Status initialize();

// False when XNNPACK does not ask us for memory, since somebody else in the process started it with
// an allocator of their own. Known after initialize().
bool serves_xnnpack();

// While it lives, what XNNPACK allocates on this thread comes from `arena`. Outside any scope (some
// other user of XNNPACK in the same process) it comes from the system.
class ArenaScope {
 public:
  explicit ArenaScope(Arena& arena);
  ~ArenaScope();
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  Arena* before_;
};

}  // namespace figment::xnnpack
