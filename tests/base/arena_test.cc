// The arena's arithmetic: what it hands out, takes back, lends and measures.
#include "runtime/base/arena.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>

#include "tests/support/loaded_model.h"

namespace figment {
namespace {

using testing::AlignedMemory;

bool aligned(const void* block) {
  return reinterpret_cast<std::uintptr_t>(block) % Arena::kAlignment == 0;
}

TEST_CASE("blocks are aligned and do not overlap") {
  const AlignedMemory memory(1 << 16);
  Arena arena(memory.span().data(), memory.span().size());
  auto* a = static_cast<std::byte*>(arena.allocate(1));
  auto* b = static_cast<std::byte*>(arena.allocate(1000));
  auto* c = static_cast<std::byte*>(arena.allocate(0));
  REQUIRE(c != nullptr);
  CHECK(aligned(a));
  CHECK(aligned(b));
  CHECK(aligned(c));
  std::memset(a, 1, 1);
  std::memset(b, 2, 1000);
  CHECK(a[0] == std::byte{1});
  CHECK(b + 1000 <= c);
  CHECK(Arena::block_bytes(b) == 1000);
}

TEST_CASE("only the top's room is used again, and what lies under it once it is on top") {
  const AlignedMemory memory(1 << 16);
  Arena arena(memory.span().data(), memory.span().size());
  void* a = arena.allocate(100);
  const std::size_t after_a = arena.used();
  void* b = arena.allocate(200);
  void* c = arena.allocate(300);
  const std::size_t full = arena.used();
  arena.release(b);
  CHECK(arena.used() == full);
  arena.release(c);
  CHECK(arena.used() == after_a);
  CHECK(arena.allocate(50) == b);
  arena.release(nullptr);
  arena.release(a);
  CHECK(arena.high_water() == full);
}

TEST_CASE("a full arena says so and stays usable") {
  const AlignedMemory memory(1024);
  Arena arena(memory.span().data(), memory.span().size());
  CHECK(arena.allocate(2000) == nullptr);
  CHECK(arena.overflowed());
  CHECK(arena.allocate(SIZE_MAX) == nullptr);
  CHECK(arena.allocate(100) != nullptr);
  CHECK(arena.reserve(1 << 20) == nullptr);
}

TEST_CASE("a loan stands at the far end, apart from what is allocated meanwhile") {
  const AlignedMemory memory(4096);
  Arena arena(memory.span().data(), 4096 - 3);  // an odd end
  auto* loan = static_cast<std::byte*>(arena.borrow(1000));
  REQUIRE(loan != nullptr);
  CHECK(aligned(loan));
  CHECK(loan + 1000 <= memory.span().data() + 4096 - 3);
  std::size_t blocks = 0;
  while (auto* block = static_cast<std::byte*>(arena.allocate(100))) {
    CHECK(block + 100 <= loan);
    ++blocks;
  }
  CHECK(blocks > 5);
  arena.give_back();
  CHECK(arena.allocate(500) != nullptr);
}

// The same calls over a measuring arena and over a real one of just the size that it found.
void exercise(Arena& arena) {
  void* a = arena.allocate(777);
  void* loan = arena.borrow(5000);
  void* b = arena.allocate(64);
  arena.give_back();
  void* c = arena.allocate(1);
  arena.release(b);
  arena.release(c);
  void* d = arena.allocate(3333);
  arena.reserve(100);
  if (a != nullptr) std::memset(a, 0, 777);
  static_cast<void>(loan);
  static_cast<void>(d);
}

TEST_CASE("a measuring arena finds the exact size") {
  std::size_t need = 0;
  {
    Arena measure{Arena::Measure{}};
    exercise(measure);
    CHECK_FALSE(measure.overflowed());
    need = measure.high_water();
  }
  const AlignedMemory memory(need);
  Arena exact(memory.span().data(), need);
  exercise(exact);
  CHECK_FALSE(exact.overflowed());
  CHECK(exact.high_water() == need);
  const AlignedMemory smaller(need - 1);
  Arena short_by_one(smaller.span().data(), need - 1);
  exercise(short_by_one);
  CHECK(short_by_one.overflowed());
}

}  // namespace
}  // namespace figment
