// Fills a trainer's examples, targets and labels from data sets, step by step.
#pragma once

#include <memory>
#include <string>

#include "figment/train.h"
#include "targets/host/data/data_set.h"

namespace figment::host {

// The files of one set of examples; empty: none.
struct DataFiles {
  std::string examples, targets, labels;
};

// The data sets of a task.
class Batches {
 public:
  // Opens the files as the task takes them. `range`: what black and white become, where the
  // caller says it. Throws VerbError when something is missing, too much, or does not fit.
  Batches(const DataFiles& files, const TrainedModels& models, const TrainOptions& options,
          const std::optional<std::pair<float, float>>& range);

  std::int64_t count() const { return examples_->count(); }
  // Whole batches of all examples; the rest of an epoch is left out.
  std::int64_t batches() const { return count() / batch_; }

  // Fills batch `step` of an endless run of epochs, each in an order of its own.
  void fill(std::int64_t step, std::uint64_t seed, const Trainer& trainer) const;
  // Fills batch `index` in the files' own order.
  void fill_in_order(std::int64_t index, const Trainer& trainer) const;

  // Tells these data from others.
  std::string identity() const;

 private:
  template <typename Order>
  void fill_rows(const Order& order, std::int64_t first, const Trainer& trainer) const;

  std::int64_t batch_;
  std::unique_ptr<DataSet> examples_, targets_, labels_;
};

}  // namespace figment::host
