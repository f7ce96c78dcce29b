// This program's malloc, free and their kin, counted while a HeapWatch runs.
#include "tests/limits/heap_watch.h"

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace {

// Only this thread's calls while it watches; the tests run on one thread.
thread_local bool watching = false;
thread_local long calls = 0;
thread_local std::ptrdiff_t held = 0, peak = 0;  // bytes

void count_call() {
  if (watching) ++calls;
}

void add(std::size_t bytes) {
  if (!watching) return;
  held += static_cast<std::ptrdiff_t>(bytes);
  peak = std::max(peak, held);
}

void take_away(std::size_t bytes) {
  if (watching) held -= static_cast<std::ptrdiff_t>(bytes);
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__)

// The sanitizer owns malloc; it tells of every call.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                                         void (*)(const volatile void*));
extern "C" size_t __sanitizer_get_allocated_size(const volatile void*);
namespace {
void on_malloc(const volatile void*, std::size_t bytes) {
  count_call();
  add(bytes);
}
void on_free(const volatile void* block) {
  count_call();
  if (watching && block != nullptr) take_away(__sanitizer_get_allocated_size(block));
}
const int hooks_installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}  // namespace

#else

// glibc's own entry points stand behind the ones that this program puts in front of them.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

// What a block really takes, not what was asked for.
static void* counted(void* block) {
  count_call();
  if (watching) add(malloc_usable_size(block));
  return block;
}

void* malloc(size_t bytes) { return counted(__libc_malloc(bytes)); }
void* calloc(size_t count, size_t bytes) { return counted(__libc_calloc(count, bytes)); }
void* realloc(void* block, size_t bytes) {
  count_call();
  const size_t before = watching ? malloc_usable_size(block) : 0;
  void* const moved = __libc_realloc(block, bytes);
  if (!watching || (moved == nullptr && bytes != 0)) return moved;
  // While a block moves, both are there.
  if (moved == block) take_away(before);
  add(malloc_usable_size(moved));
  if (moved != block) take_away(before);
  return moved;
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  return counted(__libc_memalign(alignment, bytes));
}
void* memalign(size_t alignment, size_t bytes) {
  return counted(__libc_memalign(alignment, bytes));
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  *block = counted(__libc_memalign(alignment, bytes));
  return *block == nullptr ? ENOMEM : 0;
}
void free(void* block) {
  count_call();
  if (watching) take_away(malloc_usable_size(block));
  __libc_free(block);
}
}

#endif

namespace figment::testing {

HeapWatch::HeapWatch() {
  calls = 0;
  held = peak = 0;
  watching = true;
}

HeapWatch::~HeapWatch() { watching = false; }

long HeapWatch::stop() {
  watching = false;
  return calls;
}

std::size_t HeapWatch::peak_bytes() const { return static_cast<std::size_t>(peak); }

}  // namespace figment::testing
