// From reset to the program: the vector table, memory as C++ expects it, the floating-point unit, a
// clock, and a sentence where the processor gives up. For every Cortex-M of ARMv7-M.
#include "targets/cortex_m/startup.h"

#include <cstring>

#include "runtime/base/error.h"
#include "targets/cortex_m/board.h"

// firmware.ld sets these; their addresses are what counts.
extern "C" {
extern std::uint32_t stack_bottom[], stack_top[];
extern std::uint32_t data_begin[], data_end[], bss_begin[], bss_end[];
extern const std::uint32_t data_source[];
}

namespace figment::board {
namespace {

// The system control space, the same on every ARMv7-M (reference manual, B3.2 and B3.3).
volatile std::uint32_t& control(std::uint32_t offset) {
  return *reinterpret_cast<volatile std::uint32_t*>(0xe000e000u + offset);
}
constexpr std::uint32_t kSysTickControl = 0x010, kSysTickReload = 0x014, kSysTickNow = 0x018;
constexpr std::uint32_t kFaultStatus = 0xd28, kFaultAddress = 0xd38;
[[maybe_unused]] constexpr std::uint32_t kCoprocessorAccess = 0xd88;

constexpr std::uint32_t kPaint = 0x5ca1ab1e;  // what nobody has written over is unused stack
constexpr std::uint32_t kTicks = 0x1000000;   // SysTick counts down from here, less one

volatile std::uint32_t wraps = 0;

void start_clock() {
  control(kSysTickReload) = kTicks - 1;
  control(kSysTickNow) = 0;
  control(kSysTickControl) = 7;  // the processor's clock, interrupt, on
}

extern "C" [[noreturn]] void reset() {
#ifdef __ARM_FP
  control(kCoprocessorAccess) = 0xfu << 20;  // the floating-point unit, for everybody
  asm volatile("dsb\n isb" ::: "memory");
#endif
  // Not the frames of this function and its callers, which stand above.
  for (std::uint32_t* word = stack_bottom; word < __builtin_frame_address(0); ++word)
    *const_cast<volatile std::uint32_t*>(word) = kPaint;
  std::memcpy(data_begin, data_source, static_cast<std::size_t>(data_end - data_begin) * 4);
  std::memset(bss_begin, 0, static_cast<std::size_t>(bss_end - bss_begin) * 4);
  start_clock();
  leave(run_program());
}

void tick() { wraps = wraps + 1; }

extern "C" [[noreturn, gnu::used]] void report_fault(const std::uint32_t* stack) {
  const Status words = stack < stack_bottom
                           ? bad_argument({"figment: the stack of ", stack_bytes(),
                                           " bytes overflowed; raise FIGMENT_STACK_BYTES\n"})
                           : bad_argument({"figment: the processor stopped with fault status ",
                                           std::uint32_t{control(kFaultStatus)}, " at address ",
                                           std::uint32_t{control(kFaultAddress)},
                                           "; see CFSR and BFAR of ARMv7-M\n"});
  write(words.message());
  leave(1);
}

// The stack may be what is broken, so the report begins with an empty one.
[[gnu::naked]] void fault() {
  asm volatile(
      "mrs r0, msp\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "b report_fault\n");
}

using Handler = void (*)();
struct VectorTable {
  const std::uint32_t* stack;
  Handler handlers[15];  // from reset on
};
// Interrupts of the board itself are never let in.
[[gnu::section(".vectors"), gnu::used]] const VectorTable kVectors{
    stack_top,
    {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault,
     fault, tick}};

}  // namespace

std::size_t stack_bytes() { return static_cast<std::size_t>(stack_top - stack_bottom) * 4; }

std::size_t stack_used() {
  const std::uint32_t* word = stack_bottom;
  while (word < stack_top && *word == kPaint) ++word;
  return static_cast<std::size_t>(stack_top - word) * 4;
}

std::uint64_t cycles() {
  for (;;) {
    const std::uint32_t before = wraps;
    const std::uint32_t now = kTicks - 1 - control(kSysTickNow);
    if (before == wraps) return std::uint64_t{before} * kTicks + now;
  }
}

}  // namespace figment::board
