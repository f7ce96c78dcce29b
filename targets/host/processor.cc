// The cap goes to the two that look at the processor: our table of loops, and cpuinfo, which
// XNNPACK asks.
#include "targets/host/processor.h"

#include "targets/host/exit_code.h"

#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/simd/kernels.h"
#endif
// A system's XNNPACK may come without cpuinfo's header.
#if defined(FIGMENT_WITH_XNNPACK) && defined(__x86_64__) && __has_include(<cpuinfo.h>)
#include <cpuinfo.h>
#define FIGMENT_CAN_CAP
#endif

namespace figment::host {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& reason) {
  throw VerbError(ExitCode::kUnsupported, "--cpu " + name + " is not possible here: " + reason);
}

#ifdef FIGMENT_CAN_CAP
// cpuinfo looks at the processor once; what is cleared after that stays so.
void forget(std::initializer_list<bool*> features) {
  for (bool* feature : features) *feature = false;
}

void forget_beyond(const std::string& name) {
  forget({
      &cpuinfo_isa.avxvnni,         &cpuinfo_isa.avx_vnni_int8,
      &cpuinfo_isa.avx_vnni_int16,  &cpuinfo_isa.avx_ne_convert,
      &cpuinfo_isa.avx512pf,        &cpuinfo_isa.avx512er,
      &cpuinfo_isa.avx512ifma,      &cpuinfo_isa.avx512vbmi,
      &cpuinfo_isa.avx512vbmi2,     &cpuinfo_isa.avx512bitalg,
      &cpuinfo_isa.avx512vpopcntdq, &cpuinfo_isa.avx512bf16,
      &cpuinfo_isa.avx512fp16,      &cpuinfo_isa.avx512vp2intersect,
      &cpuinfo_isa.avx512_4vnniw,   &cpuinfo_isa.avx512_4fmaps,
      &cpuinfo_isa.avx10_1,         &cpuinfo_isa.avx10_2,
      &cpuinfo_isa.amx_bf16,        &cpuinfo_isa.amx_tile,
      &cpuinfo_isa.amx_int8,        &cpuinfo_isa.amx_fp16,
  });
  if (name == "avx512vnni") return;
  forget({&cpuinfo_isa.avx512vnni});
  if (name == "avx512") return;
  forget({&cpuinfo_isa.avx512f, &cpuinfo_isa.avx512cd, &cpuinfo_isa.avx512dq, &cpuinfo_isa.avx512bw,
          &cpuinfo_isa.avx512vl});
}
#endif

}  // namespace

void add_processor_option(CLI::App& app, std::string& name) {
  app.add_option("--cpu", name, "For comparisons: use no more of the processor than this")
      ->check(CLI::IsMember({"avx2", "avx512", "avx512vnni"}));
}

void cap_processor(const std::string& name) {
  if (name.empty()) return;
#ifdef FIGMENT_CAN_CAP
  if (!cpuinfo_initialize()) refuse(name, "the processor does not tell what it has");
  if (!simd::cap_kernels(name.c_str())) refuse(name, "this processor does not have it");
  forget_beyond(name);
#elif !defined(FIGMENT_WITH_XNNPACK)
  refuse(name,
         "this build has no XNNPACK, and the portable backend is the same on every processor");
#elif !defined(__x86_64__)
  refuse(name, "this processor is no x86-64");
#else
  refuse(name, "this build's XNNPACK came without cpuinfo's header");
#endif
}

std::string loops_name() {
#ifdef FIGMENT_WITH_XNNPACK
  return simd::kernels().name;
#else
  return "portable";
#endif
}

}  // namespace figment::host
