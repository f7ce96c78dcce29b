// A flag that a signal sets.
#include "targets/host/interrupt.h"

#include <csignal>

namespace figment::host {
namespace {

volatile std::sig_atomic_t asked_to_end = 0;

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

extern "C" void keep_signal(int number) {
  asked_to_end = 1;
  std::signal(number, SIG_DFL);
}

// The handler of signal `number`; asking does not touch it.
void (*handler_of(int number))(int) {
  struct sigaction action {};
  ::sigaction(number, nullptr, &action);
  return action.sa_handler;
}

}  // namespace

Interrupt::Interrupt() {
  asked_to_end = 0;
  for (const int number : kSignals)
    if (handler_of(number) != SIG_IGN) std::signal(number, keep_signal);
}

Interrupt::~Interrupt() {
  for (const int number : kSignals)
    if (keeps(number)) std::signal(number, SIG_DFL);
}

bool Interrupt::asked() const { return asked_to_end != 0; }

bool Interrupt::keeps(int number) { return handler_of(number) == keep_signal; }

}  // namespace figment::host
