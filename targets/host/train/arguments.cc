// Declares the options in groups, and reads their words.
#include "targets/host/train/arguments.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "targets/host/arguments.h"
#include "targets/host/exit_code.h"

namespace figment::host {
namespace {

constexpr float kLargest = 1e30F;

template <typename Value>
using Words = std::initializer_list<std::pair<const char*, Value>>;

// The value of a word out of a few.
template <typename Value>
Value choose(const std::string& word, const std::string& what, Words<Value> words) {
  std::string all;
  for (const auto& [name, value] : words) {
    if (word == name) return value;
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  throw VerbError(ExitCode::kUsage, what + " is '" + word + "' but must be one of " + all);
}

bool read_count(std::string_view word, std::int64_t& count) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  return error == std::errc() && end == word.data() + word.size() && count > 0;
}

void declare_data(CLI::App& app, TrainArguments& arguments) {
  app.add_option("model", arguments.model, "The model that learns, an .fgm file")->required();
  app.add_option("data", arguments.data,
                 "The examples: a folder of PNG pictures of one size, an IDX file (MNIST's format, "
                 "also .gz), a .npy array [N,...] in the source's order of axes, or lines of text. "
                 "Bytes are pixels; they are read as --range says")
      ->required();
  app.add_option("-o,--output", arguments.output, "What has been learned, a .delta file")
      ->required();
  const std::string group = "Data";
  app.add_option("--labels", arguments.labels,
                 "A class's number for each example: IDX or .npy, whole numbers")
      ->group(group);
  app.add_option(
         "--targets", arguments.targets,
         "What shall come out for each example, in supervised learning: a file or folder as "
         "the data (lines of text are their own)")
      ->group(group);
  app.add_option(
         "--range", arguments.range,
         "The numbers that black and white of a picture become, as -1..1 (default: those of "
         "the model's own pictures, or 0..1)")
      ->group(group);
  app.add_option("--evaluate", arguments.evaluation,
                 "Further examples, which nothing is learned from: their loss is told after each "
                 "epoch")
      ->group(group);
  app.add_option("--evaluate-labels", arguments.evaluation_labels, "As --labels, for --evaluate")
      ->group(group);
  app.add_option("--evaluate-targets", arguments.evaluation_targets, "As --targets, for --evaluate")
      ->group(group);
}

void declare_task(CLI::App& app, TrainArguments& arguments) {
  const std::string group = "Task and loss";
  TrainOptions& options = arguments.options;
  app.add_option("--encoder", arguments.encoder, "The other half of a VAE, whose decoder MODEL is")
      ->group(group);
  app.add_option("--discriminator", arguments.discriminator,
                 "The other half of a GAN, whose generator MODEL is")
      ->group(group);
  app.add_option("--task", arguments.task,
                 "vae, autoencoder (with --encoder), gan (with --discriminator) or supervised "
                 "(default: by what is given)")
      ->group(group);
  app.add_option("--loss", arguments.loss,
                 "mse (squared error), bce (binary cross-entropy, for models that end with a "
                 "sigmoid) or ce (cross-entropy, for classes and text) (default: ce for text, "
                 "else mse)")
      ->group(group);
  app.add_option("--adversarial", arguments.adversarial,
                 "Of a GAN: minimax, non-saturating, least-squares, hinge or wasserstein")
      ->capture_default_str()
      ->group(group);
  app.add_option("--beta", options.beta, "Of a VAE: the weight of the divergence")
      ->check(CLI::Range(0.0F, kLargest))
      ->capture_default_str()
      ->group(group);
  app.add_option("--beta-warm-up", options.beta_warm_up, "Updates over which beta grows from 0")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
  app.add_option("--partner-steps", options.partner_steps,
                 "Of a GAN: the generator moves in every so manieth step")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str()
      ->group(group);
  app.add_option("--clip-weights", options.clip_weights,
                 "Of a GAN: the discriminator's weights stay within plus and minus this")
      ->check(CLI::Range(0.0F, kLargest))
      ->group(group);
  app.add_option("--real-label", options.real_label,
                 "Of a GAN with a cross-entropy: what real pictures are called")
      ->check(CLI::Range(0.5F, 1.0F))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--spectral", options.spectral_normalization,
               "Of a GAN: the discriminator's weights are divided by their largest singular value")
      ->group(group);
}

void declare_selection(CLI::App& app, TrainArguments& arguments) {
  const std::string group = "What learns";
  app.add_option(
         "--trainable", arguments.trainable,
         "Of MODEL: all, biases (and scales), last:K (the last K layers), none, or a pattern "
         "of names, as 'up*'")
      ->capture_default_str()
      ->group(group);
  app.add_option("--partner-trainable", arguments.partner_trainable,
                 "The same of the encoder or discriminator")
      ->capture_default_str()
      ->group(group);
  app.add_option("--adapters", arguments.options.selection.adapter_rank,
                 "Weights stay as they are and learn a product of this rank beside them (LoRA)")
      ->check(CLI::Range(1, 1 << 16))
      ->group(group);
}

void declare_optimizer(CLI::App& app, TrainArguments& arguments) {
  const std::string group = "Optimizer";
  TrainOptions& options = arguments.options;
  OptimizerOptions& optimizer = options.optimizer;
  const auto number = [&](const char* name, float& value, float most, const char* text) {
    app.add_option(name, value, text)
        ->check(CLI::Range(0.0F, most))
        ->capture_default_str()
        ->group(group);
  };
  app.add_option("--optimizer", arguments.optimizer, "sgd, adam or adamw")
      ->capture_default_str()
      ->group(group);
  number("--learning-rate", optimizer.learning_rate, kLargest, "How far each update moves");
  number("--partner-learning-rate", options.partner_learning_rate, kLargest,
         "Of the encoder or discriminator; 0: the same");
  number("--momentum", optimizer.momentum, 1, "Of sgd");
  number("--beta1", optimizer.beta1, 1, "Of adam and adamw: how long the mean of gradients lasts");
  number("--beta2", optimizer.beta2, 1, "Of adam and adamw: how long their mean square lasts");
  number("--weight-decay", optimizer.weight_decay, kLargest, "How fast unused weights shrink");
  number("--clip", options.clip_norm, kLargest, "Gradients are shortened to this norm; 0: never");
  app.add_option(
         "--schedule", arguments.schedule,
         "Of the learning rate: constant, cosine (down to 0 at the end), or falling (down to "
         "0 over the second half)")
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--average", options.average_decay,
         "MODEL is written as an average over its updates, of which each keeps this share of "
         "the one before; 0: as it is at the end")
      ->check(CLI::Range(0.0F, 0.99999F))
      ->capture_default_str()
      ->group(group);
  app.add_option("--warm-up", options.warm_up, "Updates over which the learning rate grows from 0")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
}

void declare_course(CLI::App& app, TrainArguments& arguments) {
  const std::string group = "Course";
  TrainOptions& options = arguments.options;
  auto* epochs =
      app.add_option("--epochs", arguments.epochs, "How often each example is seen (default: 1)")
          ->check(CLI::PositiveNumber)
          ->group(group);
  app.add_option("--steps", arguments.steps, "How many batches are seen, instead of --epochs")
      ->check(CLI::PositiveNumber)
      ->excludes(epochs)
      ->group(group);
  app.add_option("--batch", options.batch, "Examples in one step")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--recompute", options.recompute,
               "Some functions are computed again instead of kept: less memory, more time")
      ->group(group);
  app.add_option("--accumulate", options.accumulation,
                 "Steps before the weights move, by the mean of their gradients")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str()
      ->group(group);
  app.add_option("--seed", options.seed, "Of the order of examples and of latents")
      ->capture_default_str()
      ->group(group);
  app.add_option("--threads", arguments.threads, "Threads of the pool")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group(group);
  app.add_option("--backend", arguments.backend,
                 "xnnpack: fast; portable: the same bits on every machine")
      ->capture_default_str()
      ->group(group);
}

void declare_outputs(CLI::App& app, TrainArguments& arguments) {
  const std::string group = "On the way";
  auto* checkpoint =
      app.add_option("--checkpoint", arguments.checkpoint,
                     "Where the run is kept; started again with the same options, it goes on from "
                     "there, to the same weights")
          ->group(group);
  app.add_option("--checkpoint-every", arguments.checkpoint_every,
                 "A time, as 60s, or a number of steps, as 500")
      ->needs(checkpoint)
      ->capture_default_str()
      ->group(group);
  auto* samples = app.add_option("--samples", arguments.samples,
                                 "A picture of what the model draws by then (PNG), always from the "
                                 "same latents")
                      ->group(group);
  app.add_option("--samples-every", arguments.samples_every,
                 "Steps between two such pictures (default: an epoch)")
      ->needs(samples)
      ->check(CLI::PositiveNumber)
      ->group(group);
  app.add_option("--log", arguments.log, "The terms of each step's loss, as CSV")->group(group);
  app.add_flag("--json", arguments.json, "Print one JSON object at the end")->group(group);
}

Task read_task(const TrainArguments& arguments) {
  if (!arguments.encoder.empty() && !arguments.discriminator.empty())
    throw VerbError(ExitCode::kUsage, "--encoder and --discriminator are for different tasks");
  std::string word = arguments.task;
  if (word.empty())
    word = !arguments.encoder.empty()         ? "vae"
           : !arguments.discriminator.empty() ? "gan"
                                              : "supervised";
  const auto task = choose<Task>(word, "--task",
                                 {{"vae", Task::kVae},
                                  {"autoencoder", Task::kAutoencoder},
                                  {"gan", Task::kGan},
                                  {"supervised", Task::kSupervised}});
  const bool encodes = task == Task::kVae || task == Task::kAutoencoder;
  if (encodes == arguments.encoder.empty())
    throw VerbError(ExitCode::kUsage, encodes ? "--task " + word + " needs --encoder"
                                              : "--task " + word + " takes no --encoder");
  if ((task == Task::kGan) == arguments.discriminator.empty())
    throw VerbError(ExitCode::kUsage, task == Task::kGan
                                          ? "--task gan needs --discriminator"
                                          : "--task " + word + " takes no --discriminator");
  return task;
}

}  // namespace

void declare_train_arguments(CLI::App& app, TrainArguments& arguments) {
  declare_data(app, arguments);
  declare_task(app, arguments);
  declare_selection(app, arguments);
  declare_course(app, arguments);
  declare_optimizer(app, arguments);
  declare_outputs(app, arguments);
}

Selection parse_selection(const std::string& word, const std::string& what) {
  constexpr std::string_view kLast = "last:";
  Selection selection;
  if (word == "all") {
    selection.learns = Learns::kAll;
  } else if (word == "none") {
    selection.learns = Learns::kNothing;
  } else if (word == "biases") {
    selection.learns = Learns::kBiasesAndScales;
  } else if (word.starts_with(kLast)) {
    std::int64_t layers = 0;
    if (!read_count(std::string_view(word).substr(kLast.size()), layers) || layers > INT32_MAX)
      throw VerbError(ExitCode::kUsage, what + " is '" + word + "' but must be written as last:3");
    selection.learns = Learns::kLastLayers;
    selection.layers = static_cast<std::int32_t>(layers);
  } else if (word.empty()) {
    throw VerbError(ExitCode::kUsage, what +
                                          " names nothing; give all, biases, last:K, none or a "
                                          "pattern of names");
  } else {
    selection.learns = Learns::kNamed;
    selection.pattern = word;
  }
  return selection;
}

Interval parse_interval(const std::string& word, const std::string& what) {
  Interval interval;
  if (read_count(word, interval.steps)) return interval;
  char* end = nullptr;
  interval.steps = 0;
  interval.seconds = std::strtod(word.c_str(), &end);
  if (end == word.c_str() || std::string_view(end) != "s" || !std::isfinite(interval.seconds) ||
      interval.seconds <= 0)
    throw VerbError(ExitCode::kUsage, what + " is '" + word +
                                          "' but must be a time, as 60s, or a number of steps, as "
                                          "500");
  return interval;
}

TrainOptions read_options(const TrainArguments& arguments, const Model& model) {
  TrainOptions options = arguments.options;
  options.task = read_task(arguments);
  const std::string loss = !arguments.loss.empty()       ? arguments.loss
                           : model.text().vocabulary > 0 ? "ce"
                                                         : "mse";
  options.loss = choose<Loss>(loss, "--loss",
                              {{"mse", Loss::kMeanSquaredError},
                               {"bce", Loss::kBinaryCrossEntropy},
                               {"ce", Loss::kCrossEntropy}});
  options.adversarial =
      choose<AdversarialLoss>(arguments.adversarial, "--adversarial",
                              {{"minimax", AdversarialLoss::kMinimax},
                               {"non-saturating", AdversarialLoss::kNonSaturating},
                               {"least-squares", AdversarialLoss::kLeastSquares},
                               {"hinge", AdversarialLoss::kHinge},
                               {"wasserstein", AdversarialLoss::kWasserstein}});
  options.optimizer.kind = choose<Optimizer>(
      arguments.optimizer, "--optimizer",
      {{"sgd", Optimizer::kSgd}, {"adam", Optimizer::kAdam}, {"adamw", Optimizer::kAdamW}});
  options.schedule = choose<Schedule>(arguments.schedule, "--schedule",
                                      {{"constant", Schedule::kConstant},
                                       {"cosine", Schedule::kCosine},
                                       {"falling", Schedule::kFalling}});
  options.backend = parse_backend(arguments.backend);
  const std::int32_t rank = options.selection.adapter_rank;
  options.selection = parse_selection(arguments.trainable, "--trainable");
  options.selection.adapter_rank = rank;
  options.partner_selection = parse_selection(arguments.partner_trainable, "--partner-trainable");
  return options;
}

}  // namespace figment::host
