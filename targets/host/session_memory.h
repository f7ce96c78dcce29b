// A session together with the memory that it lies in.
#pragma once

#include <cstddef>

#include "figment/figment.h"
#include "targets/host/input_file.h"

namespace figment::host {

struct SessionMemory {
  // Asks how much the session needs, takes that much and creates it. Throws VerbError,
  // std::bad_alloc.
  SessionMemory(const Model& model, const Options& options);

  std::size_t arena_bytes;
  AlignedMemory arena;
  Session session;
};

}  // namespace figment::host
