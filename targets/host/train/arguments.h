// What `figment train` can be told, and how the words become the trainer's options.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "figment/train.h"

namespace figment::host {

struct TrainArguments {
  // What learns, from what.
  std::string model, data, output, encoder, discriminator;
  std::string labels, targets, range;
  std::string evaluation, evaluation_labels, evaluation_targets;
  // The task; empty words are chosen by what else is given.
  std::string task, loss, adversarial = "non-saturating";
  std::string trainable = "all", partner_trainable = "all";
  // How long and how.
  std::optional<std::int64_t> epochs, steps;
  std::string optimizer = "adam", schedule = "constant";
  std::string backend = "xnnpack";
  std::int32_t threads = 1;
  TrainOptions options;  // what needs no reading
  // What it writes on the way.
  std::string checkpoint, checkpoint_every = "60s", samples, log;
  std::int64_t samples_every = 0;  // 0: once an epoch
  bool json = false;

  const std::string& partner() const { return encoder.empty() ? discriminator : encoder; }
};

void declare_train_arguments(CLI::App& app, TrainArguments& arguments);

// The trainer's options but for `updates` and `threads`. `model` is the one that learns. Throws
// VerbError (kUsage) for words that mean nothing, or nothing together. The patterns are views of
// `arguments`.
TrainOptions read_options(const TrainArguments& arguments, const Model& model);

// "60s" is a time, "500" a number of steps.
struct Interval {
  double seconds = 0;      // 0: by steps
  std::int64_t steps = 0;  // 0: by time
};
Interval parse_interval(const std::string& word, const std::string& what);

// "all", "biases", "last:3", "none", or a pattern of names.
Selection parse_selection(const std::string& word, const std::string& what);

}  // namespace figment::host
