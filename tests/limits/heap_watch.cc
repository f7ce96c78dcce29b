// This program's malloc, free and their kin, counted while a HeapWatch runs.
#include "tests/limits/heap_watch.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace {

// Only this thread's calls while it watches; the tests run on one thread.
thread_local bool watching = false;
thread_local long calls = 0;

void count_call() {
  if (watching) ++calls;
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__)

// The sanitizer owns malloc; it tells of every call.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                                         void (*)(const volatile void*));
namespace {
void on_malloc(const volatile void*, std::size_t) { count_call(); }
void on_free(const volatile void*) { count_call(); }
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

void* malloc(size_t bytes) {
  count_call();
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  count_call();
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, size_t bytes) {
  count_call();
  return __libc_realloc(block, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  count_call();
  return __libc_memalign(alignment, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  count_call();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  count_call();
  *block = __libc_memalign(alignment, bytes);
  return *block == nullptr ? ENOMEM : 0;
}
void free(void* block) {
  count_call();
  __libc_free(block);
}
}

#endif

namespace figment::testing {

HeapWatch::HeapWatch() {
  calls = 0;
  watching = true;
}

HeapWatch::~HeapWatch() { watching = false; }

long HeapWatch::stop() {
  watching = false;
  return calls;
}

}  // namespace figment::testing
