// Tells on standard error how far long work has come: a bar on a terminal, plain lines elsewhere,
// nothing for work that is over within a second.
#pragma once

#include <cstdint>
#include <string>

namespace figment::host {

class Progress {
 public:
  // `unit` is what is counted: "samples". `first` of the total were done before.
  Progress(std::string unit, std::int64_t total, std::int64_t first = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether set() would print now; spares the caller its note.
  bool is_due() const;
  // `note` stands behind the time left: "loss 0.5".
  void set(std::int64_t done, const std::string& note = {});
  // Takes the bar away, so that something else can be printed.
  void clear();

 private:
  std::string unit_;
  std::int64_t total_, first_;
  double begun_;
  double last_;  // when something was last printed
  bool terminal_;
  bool printed_ = false;
};

}  // namespace figment::host
