// The board's console through ARM semihosting: a breakpoint with a number in r0 asks the debugger
// or the emulator for a service of its host ("Semihosting for AArch32 and AArch64", 2.0).
#include <cstdint>

#include "targets/cortex_m/board.h"

namespace figment::board {
namespace {

enum class Service : std::uint32_t {
  kOpen = 0x01,
  kWrite = 0x05,
  kCommandLine = 0x15,
  kExitExtended = 0x20,
};

std::uint32_t call(Service service, const void* block) {
  register std::uint32_t number asm("r0") = static_cast<std::uint32_t>(service);
  register const void* argument asm("r1") = block;
  asm volatile("bkpt 0xab" : "+r"(number) : "r"(argument) : "memory");
  return number;
}

// The host's standard output.
std::uint32_t open_console() {
  constexpr char kName[] = ":tt";
  constexpr std::uint32_t kForWriting = 4;
  const struct {
    const char* name;
    std::uint32_t mode, length;
  } block{kName, kForWriting, sizeof kName - 1};
  return call(Service::kOpen, &block);
}

}  // namespace

void write(std::string_view text) {
  static std::uint32_t console = 0;  // no file has the number 0 here
  if (console == 0) console = open_console();
  const struct {
    std::uint32_t file;
    const char* text;
    std::uint32_t length;
  } block{console, text.data(), text.size()};
  call(Service::kWrite, &block);
}

std::string_view arguments(std::span<char> room) {
  struct {
    char* text;
    std::uint32_t length;  // of the room, then of the text
  } block{room.data(), room.size()};
  if (call(Service::kCommandLine, &block) != 0) return {};
  std::string_view line(block.text, block.length);
  const std::size_t blank = line.find(' ');  // the program's name goes first
  line.remove_prefix(blank < line.size() ? blank + 1 : line.size());
  return line;
}

void leave(int code) {
  constexpr std::uint32_t kApplicationExit = 0x20026;
  const struct {
    std::uint32_t reason;
    int code;
  } block{kApplicationExit, code};
  call(Service::kExitExtended, &block);
  for (;;) {
  }
}

}  // namespace figment::board
