// What a faster version of an operator (runtime/xnnpack/<operator>.cc) provides.
//
// A file defines one constant, `const FastRoom k<Member>` in namespace figment::xnnpack. Everything
// that XNNPACK allocates while it creates and reshapes an operator lands in the session's arena
// (see allocator.h).
#pragma once

#include "runtime/base/arena.h"
#include "runtime/ops/operator.h"

namespace figment::xnnpack {

class PackedWeights;

// What create() works with and fills in.
struct Build {
  Arena& arena;
  PackedWeights& packed;  // where packed weights go, or are already
  const format::Unary* activation =
      nullptr;            // what the operator's output goes through; null: nothing
  std::string_view wish;  // the way to run it that the file asks for; empty: none
  // Filled in by create():
  void* state = nullptr;          // in the arena, as long-lived as the session
  bool fused_activation = false;  // the room applies `activation` itself
  std::size_t scratch_bytes =
      0;  // for the room's own use while it runs, given in Operation::scratch
  const char* lowering = "xnnpack";
};

struct FastRoom {
  // True when XNNPACK runs this operation and is faster than the portable definition.
  bool (*accepts)(const Operation& operation);
  // Builds what lives as long as the session. Shapes and constants are known, addresses of
  // activations are not.
  Status (*create)(const Operation& operation, Build& build);
  // Takes the addresses; called once, after the arena is laid out.
  bool (*bind)(const Operation& operation, void* state);
  // Computes the output; allocates nothing. False when XNNPACK refuses.
  bool (*run)(const Operation& operation, void* state);
};

}  // namespace figment::xnnpack
