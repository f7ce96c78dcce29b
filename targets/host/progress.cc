// Draws the bar.
#include "targets/host/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "targets/host/process.h"

namespace figment::host {

Progress::Progress(std::string unit, int total)
    : unit_(std::move(unit)),
      total_(total),
      begun_(now_ms()),
      last_(begun_),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (printed_ && terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::set(int done) {
  constexpr double kQuietMs = 1000, kTerminalMs = 100, kLineMs = 5000;
  const double now = now_ms();
  if (now - begun_ < kQuietMs) return;
  if (printed_ && now - last_ < (terminal_ ? kTerminalMs : kLineMs)) return;
  last_ = now;
  printed_ = true;
  const double left = done > 0 ? (now - begun_) / 1000 * (total_ - done) / done : 0;
  if (!terminal_) {
    std::fprintf(stderr, "%d of %d %s, %.0f s left\n", done, total_, unit_.c_str(), left);
    return;
  }
  constexpr int kWidth = 30;
  const int filled = static_cast<int>(static_cast<long long>(done) * kWidth / total_);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "\r\033[K[%s] %d of %d %s, %.0f s left", bar.c_str(), done, total_,
               unit_.c_str(), left);
  std::fflush(stderr);
}

}  // namespace figment::host
