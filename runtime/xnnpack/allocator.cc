// XNNPACK's allocator is process-wide and set once, so it looks up the arena of the thread that
// calls it.
#include "runtime/xnnpack/allocator.h"

#include <xnnpack.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "runtime/base/error.h"

namespace figment::xnnpack {
namespace {

thread_local Arena* current_arena = nullptr;
// Set by the first allocation from an arena; only ever from false to true.
std::atomic<bool> asked{false};

constexpr std::size_t kSystemAlignment = 64;

void* allocate_aligned(void* /*context*/, std::size_t alignment, std::size_t bytes) {
  if (alignment > kSystemAlignment) return nullptr;
  if (current_arena != nullptr) {
    asked.store(true, std::memory_order_relaxed);
    return current_arena->allocate(bytes);
  }
  return std::aligned_alloc(kSystemAlignment,
                            (bytes + kSystemAlignment - 1) / kSystemAlignment * kSystemAlignment);
}

void release(void* /*context*/, void* block) {
  if (current_arena != nullptr) {
    current_arena->release(block);
  } else {
    std::free(block);
  }
}

void* allocate(void* context, std::size_t bytes) {
  return allocate_aligned(context, kSystemAlignment, bytes);
}

void* reallocate(void* context, void* block, std::size_t bytes) {
  if (current_arena == nullptr) return std::realloc(block, bytes);
  void* larger = allocate(context, bytes);
  if (larger != nullptr && block != nullptr) {
    std::memcpy(larger, block, std::min(bytes, Arena::block_bytes(block)));
    current_arena->release(block);
  }
  return larger;
}

// Whether XNNPACK asks us shows when it creates an operator.
void ask() {
  alignas(Arena::kAlignment) std::byte memory[4096];
  Arena arena(memory, sizeof(memory));
  const ArenaScope scope(arena);
  xnn_operator_t created = nullptr;
  if (xnn_create_softmax_nc_f32(/*flags=*/0, &created) == xnn_status_success)
    xnn_delete_operator(created);
}

xnn_status start() {
  // XNNPACK copies the table.
  const xnn_allocator allocator{nullptr, allocate, reallocate, release, allocate_aligned, release};
  const xnn_status status = xnn_initialize(&allocator);
  if (status == xnn_status_success) ask();
  return status;
}

}  // namespace

Status initialize() {
  static const xnn_status status = start();
  if (status == xnn_status_success) return {};
  return backend_error({"XNNPACK does not start on this processor (status ",
                        static_cast<int>(status), "); build with -DFIGMENT_XNNPACK=OFF"});
}

bool serves_xnnpack() { return asked.load(std::memory_order_relaxed); }

ArenaScope::ArenaScope(Arena& arena) : before_(current_arena) { current_arena = &arena; }
ArenaScope::~ArenaScope() { current_arena = before_; }

}  // namespace figment::xnnpack
