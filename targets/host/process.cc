// Clocks and memory of the process, from POSIX and Linux's /proc.
#include "targets/host/process.h"

#include <sys/resource.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <string>

namespace figment::host {
namespace {

double process_start_ms = 0;

}  // namespace

double now_ms() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void note_process_start() {
  process_start_ms = now_ms() - 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double ms_since_process_start() { return now_ms() - process_start_ms; }

std::size_t peak_resident_bytes() {
  // Not ru_maxrss at first: on Linux it remembers the program that called exec.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace figment::host
