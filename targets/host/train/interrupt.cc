// A flag that a signal sets.
#include "targets/host/train/interrupt.h"

#include <csignal>

namespace figment::host {
namespace {

volatile std::sig_atomic_t asked_to_end = 0;

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

extern "C" void keep_signal(int number) {
  asked_to_end = 1;
  std::signal(number, SIG_DFL);
}

}  // namespace

Interrupt::Interrupt() {
  asked_to_end = 0;
  for (const int number : kSignals)
    if (std::signal(number, keep_signal) == SIG_IGN) std::signal(number, SIG_IGN);
}

Interrupt::~Interrupt() {
  for (const int number : kSignals)
    if (std::signal(number, SIG_DFL) == SIG_IGN) std::signal(number, SIG_IGN);
}

bool Interrupt::asked() const { return asked_to_end != 0; }

}  // namespace figment::host
