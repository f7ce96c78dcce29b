// Lets a program see a processor without AVX-512, AVX-VNNI and AMX, so that engines without such an
// option can be compared at AVX2 too:
//
//   cc -O2 -shared -fPIC cap_processor.c -o cap_processor.so
//   LD_PRELOAD=./cap_processor.so PROGRAM
//
// Linux on x86-64 can make the instruction CPUID fault (arch_prctl(2), ARCH_SET_CPUID) where the
// processor can; the handler answers in its place, with the features' bits cleared. Bits: Intel's
// Software Developer's Manual, volume 2, CPUID, leaf 7. Where it cannot be done the program ends at
// once with code 3.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define BIT(n) (UINT32_C(1) << (n))

static int let_cpuid_run(int may) { return (int)syscall(SYS_arch_prctl, ARCH_SET_CPUID, may); }

static void on_fault(int number, siginfo_t* information, void* context) {
  (void)information;
  greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
  const uint8_t* instruction = (const uint8_t*)registers[REG_RIP];
  if (instruction[0] != 0x0f || instruction[1] != 0xa2) {  // a fault of the program's own
    signal(number, SIG_DFL);
    return;
  }
  const uint32_t leaf = (uint32_t)registers[REG_RAX], subleaf = (uint32_t)registers[REG_RCX];
  uint32_t eax = leaf, ebx, ecx = subleaf, edx;
  let_cpuid_run(1);
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  let_cpuid_run(0);
  if (leaf == 7 && subleaf == 0) {
    // F, DQ, IFMA, PF, ER, CD, BW, VL
    ebx &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
    // VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ
    ecx &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14));
    // 4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, FP16, AMX-TILE, AMX-INT8
    edx &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));
  } else if (leaf == 7 && subleaf == 1) {
    eax &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23));  // AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA
    edx &= ~(BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19));  // AVX's INT8, converts, INT16; AVX10
  }
  registers[REG_RAX] = eax;
  registers[REG_RBX] = ebx;
  registers[REG_RCX] = ecx;
  registers[REG_RDX] = edx;
  registers[REG_RIP] += 2;
}

static int is_capped = 0;

// Programs that reset every signal's handler as they start, as Node does, leave this one alone.
int sigaction(int number, const struct sigaction* wanted, struct sigaction* before) {
  static int (*real)(int, const struct sigaction*, struct sigaction*) = NULL;
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "sigaction");
  return real(number, is_capped && number == SIGSEGV ? NULL : wanted, before);
}

__attribute__((constructor)) static void cap(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (sigaction(SIGSEGV, &action, NULL) != 0 || let_cpuid_run(0) != 0) _exit(3);
  is_capped = 1;
}
