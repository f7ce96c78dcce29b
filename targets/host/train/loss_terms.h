// The figures of a step by name, as bars, logs and reports show them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "figment/train.h"

namespace figment::host {

// "loss" first, then what the task adds: reconstruction and divergence, or a discriminator's
// figures.
using LossTerms = std::vector<std::pair<std::string, double>>;
LossTerms loss_terms(Task task, const TrainReport& report);

// "loss 0.512, divergence 3.1".
std::string describe_terms(const LossTerms& terms);

// Means over steps.
class MeanTerms {
 public:
  void add(const LossTerms& terms);
  std::int64_t count() const { return count_; }
  // Empty before the first add().
  LossTerms mean() const;

 private:
  LossTerms sums_;
  std::int64_t count_ = 0;
};

}  // namespace figment::host
