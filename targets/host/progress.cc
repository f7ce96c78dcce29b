// Draws the bar.
#include "targets/host/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "targets/host/process.h"

namespace figment::host {

Progress::Progress(std::string unit, std::int64_t total, std::int64_t first)
    : unit_(std::move(unit)),
      total_(total),
      first_(first),
      begun_(now_ms()),
      last_(begun_),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (!printed_ || !terminal_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

bool Progress::is_due() const {
  constexpr double kQuietMs = 1000, kTerminalMs = 100, kLineMs = 5000;
  const double now = now_ms();
  if (now - begun_ < kQuietMs) return false;
  return !printed_ || now - last_ >= (terminal_ ? kTerminalMs : kLineMs);
}

void Progress::set(std::int64_t done, const std::string& note) {
  if (!is_due()) return;
  last_ = now_ms();
  printed_ = true;
  const double each =
      (last_ - begun_) / 1000 / static_cast<double>(std::max(done - first_, std::int64_t{1}));
  const double left = done > first_ ? each * static_cast<double>(total_ - done) : 0;
  const std::string end = note.empty() ? "" : "; " + note;
  const auto count = [](std::int64_t value) { return static_cast<long long>(value); };
  if (!terminal_) {
    std::fprintf(stderr, "%lld of %lld %s, %.0f s left%s\n", count(done), count(total_),
                 unit_.c_str(), left, end.c_str());
    return;
  }
  constexpr int kWidth = 30;
  std::string bar(static_cast<std::size_t>(done * kWidth / total_), '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "\r\033[K[%s] %lld of %lld %s, %.0f s left%s", bar.c_str(), count(done),
               count(total_), unit_.c_str(), left, end.c_str());
  std::fflush(stderr);
}

}  // namespace figment::host
