// The choice among the tables of the instruction sets (table.cc).
#include "runtime/simd/kernels.h"

#include <atomic>
#include <string_view>

#ifdef FIGMENT_WITH_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#ifdef FIGMENT_WITH_NEONDOT
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace figment::simd {

#ifdef FIGMENT_WITH_AMX
namespace amx {
extern const Kernels kKernels;
}
#endif
#ifdef FIGMENT_WITH_NEONDOT
namespace neondot {
extern const Kernels kKernels;
}
#endif
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
#ifdef FIGMENT_WITH_AMX
    &amx::kKernels,
#endif
#ifdef FIGMENT_WITH_NEONDOT
    &neondot::kKernels,
#endif
#ifdef __x86_64__
    &avx512vnni::kKernels, &avx512::kKernels, &avx2::kKernels,
#endif
    &base::kKernels,
};

#ifdef FIGMENT_WITH_AMX
// Whether the processor has tiles of integers, the system saves them, and this process may use
// them: Linux wants to be asked, once for all threads, and answers the same every time.
bool has_tiles() {
  constexpr unsigned kAmxTile = 1U << 24;
  constexpr unsigned kAmxInt8 = 1U << 25;
  constexpr unsigned kSystemSaves = 1U << 27;
  constexpr unsigned kTileStates = 3U << 17;  // configuration and data
  constexpr int kAskPermission = 0x1023;      // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  if ((d & kAmxTile) == 0 || (d & kAmxInt8) == 0) return false;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & kSystemSaves) == 0) return false;
  asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  if ((a & kTileStates) != kTileStates) return false;
  return syscall(SYS_arch_prctl, kAskPermission, kTileData) == 0;
}
#endif

bool runs_here([[maybe_unused]] const Kernels* table) {
#ifdef FIGMENT_WITH_AMX
  if (table == &amx::kKernels) return runs_here(&avx512vnni::kKernels) && has_tiles();
#endif
#ifdef FIGMENT_WITH_NEONDOT
  if (table == &neondot::kKernels) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
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

std::span<const Kernels* const> tables() { return kTables; }

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
