// The three steps from a model to a session.
#include "targets/host/session_memory.h"

#include "targets/host/exit_code.h"

namespace figment::host {

SessionMemory::SessionMemory(const Model& model, const Options& options)
    : arena_bytes(expect(Session::arena_bytes(model, options))),
      arena(allocate_aligned(arena_bytes)),
      session(expect(Session::create(model, {arena.get(), arena_bytes}, options))) {}

}  // namespace figment::host
