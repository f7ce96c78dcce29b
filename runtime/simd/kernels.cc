// The choice among the tables of the instruction sets (table.cc).
#include "runtime/simd/kernels.h"

#include <atomic>
#include <string_view>

namespace figment::simd {

#ifdef __x86_64__
namespace avx512vnni {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}
namespace avx2 {
extern const Kernels kKernels;
}
#endif
namespace base {
extern const Kernels kKernels;
}

namespace {

// In the order of preference; ends with the one that every processor has.
const Kernels* const kTables[] = {
#ifdef __x86_64__
    &avx512vnni::kKernels,
    &avx512::kKernels,
    &avx2::kKernels,
#endif
    &base::kKernels,
};

bool runs_here([[maybe_unused]] const Kernels* table) {
#ifdef __x86_64__
  if (table == &avx512vnni::kKernels)
    return runs_here(&avx512::kKernels) && __builtin_cpu_supports("avx512vnni");
  if (table == &avx512::kKernels)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (table == &avx2::kKernels)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return true;
}

const Kernels* best() {
  for (const Kernels* table : kTables)
    if (runs_here(table)) return table;
  return &base::kKernels;
}

// Null until somebody asks, so that nothing runs before main().
std::atomic<const Kernels*> chosen{nullptr};

}  // namespace

const Kernels& kernels() {
  const Kernels* table = chosen.load(std::memory_order_relaxed);
  if (table == nullptr) {
    table = best();
    chosen.store(table, std::memory_order_relaxed);
  }
  return *table;
}

bool cap_kernels(const char* name) {
  if (name == nullptr) {
    chosen.store(best(), std::memory_order_relaxed);
    return true;
  }
  for (const Kernels* table : kTables) {
    if (std::string_view(table->name) != name || !runs_here(table)) continue;
    chosen.store(table, std::memory_order_relaxed);
    return true;
  }
  return false;
}

}  // namespace figment::simd
