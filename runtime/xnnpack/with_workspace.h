// For rooms whose state is one XNNPACK operator that wants a workspace, planned as scratch.
#pragma once

#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {

// The workspace's alignment never passes the arena's.
inline Status take_workspace(std::size_t bytes, std::size_t alignment, Build& build) {
  if (alignment > Arena::kAlignment)
    return backend_error({"XNNPACK wants a workspace aligned to ", alignment});
  build.scratch_bytes = bytes;
  return {};
}

}  // namespace figment::xnnpack
