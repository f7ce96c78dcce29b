// Tells on standard error how far long work has come: a bar on a terminal, plain lines elsewhere,
// nothing for work that is over within a second.
#pragma once

#include <string>

namespace figment::host {

class Progress {
 public:
  // `unit` is what is counted: "samples".
  Progress(std::string unit, int total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void set(int done);

 private:
  std::string unit_;
  int total_;
  double begun_;
  double last_;  // when something was last printed
  bool terminal_;
  bool printed_ = false;
};

}  // namespace figment::host
