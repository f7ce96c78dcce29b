// Ctrl-C as a question to a long run, so that it can end in order.
#pragma once

namespace figment::host {

// While it lives, the first SIGINT, SIGTERM or SIGHUP is kept; a second one ends the process. What
// a caller chose to ignore (nohup) stays ignored.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool asked() const;

  // Whether signal `number` is kept at the moment.
  static bool keeps(int number);
};

}  // namespace figment::host
