// XNNPACK's memory comes from the arena of the session that is being created, and from nowhere
// else.
#include "runtime/xnnpack/allocator.h"

#include <doctest/doctest.h>
#include <xnnpack.h>

#include "tests/support/loaded_model.h"

namespace figment::xnnpack {
namespace {

using testing::AlignedMemory;

xnn_operator_t create_softmax() {
  xnn_operator_t created = nullptr;
  CHECK(xnn_create_softmax_nc_f32(0, &created) == xnn_status_success);
  return created;
}

TEST_CASE("an operator lies in the arena of the scope around it") {
  REQUIRE(initialize().ok());
  const AlignedMemory memory(1 << 16);
  Arena arena(memory.span().data(), memory.span().size());
  {
    const ArenaScope scope(arena);
    const auto* place = reinterpret_cast<const std::byte*>(create_softmax());
    CHECK(place >= memory.span().data());
    CHECK(place < memory.span().data() + memory.span().size());
  }
  CHECK(arena.used() > 0);
  CHECK(serves_xnnpack());
}

TEST_CASE("scopes nest, and outside them the system serves") {
  REQUIRE(initialize().ok());
  const AlignedMemory outer_memory(1 << 16);
  const AlignedMemory inner_memory(1 << 16);
  Arena outer(outer_memory.span().data(), outer_memory.span().size());
  Arena inner(inner_memory.span().data(), inner_memory.span().size());
  {
    const ArenaScope outer_scope(outer);
    {
      const ArenaScope inner_scope(inner);
      create_softmax();
    }
    CHECK(outer.used() == 0);
    CHECK(inner.used() > 0);
    create_softmax();
    CHECK(outer.used() > 0);
  }
  const std::size_t used = outer.used();
  xnn_operator_t system = create_softmax();
  CHECK(outer.used() == used);
  CHECK(xnn_delete_operator(system) == xnn_status_success);
}

TEST_CASE("a full arena makes XNNPACK refuse, not crash") {
  REQUIRE(initialize().ok());
  const AlignedMemory memory(64);
  Arena arena(memory.span().data(), memory.span().size());
  const ArenaScope scope(arena);
  xnn_operator_t created = nullptr;
  CHECK(xnn_create_softmax_nc_f32(0, &created) == xnn_status_out_of_memory);
  CHECK(arena.overflowed());
}

}  // namespace
}  // namespace figment::xnnpack
