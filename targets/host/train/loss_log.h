// The course of a loss as a CSV file, a line a step.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "targets/host/train/loss_terms.h"

namespace figment::host {

class LossLog {
 public:
  // `steps` were done before: an older file's lines up to there stay, so that a run that goes on
  // has one log. Throws VerbError (kInputOutput). `-` is standard output.
  LossLog(std::string path, std::int64_t steps);

  void add(std::int64_t step, double learning_rate, const LossTerms& terms);
  // What was added is in the file when it returns. Throws VerbError (kInputOutput).
  void flush();

 private:
  struct Close {
    void operator()(std::FILE* file) const;
  };

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  bool has_head_;
};

}  // namespace figment::host
