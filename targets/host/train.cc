// figment train: teaches a model, or two against each other, from files of examples.
#include "figment/train.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "targets/host/arguments.h"
#include "targets/host/describe.h"
#include "targets/host/model_file.h"
#include "targets/host/output_file.h"
#include "targets/host/process.h"
#include "targets/host/thread_pool.h"
#include "targets/host/train/arguments.h"
#include "targets/host/train/learned_model.h"
#include "targets/host/train/training.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

using Json = nlohmann::ordered_json;

// Where lines for the user go: standard output, unless that takes what is written or an object.
std::FILE* lines_of(const TrainArguments& arguments) {
  if (arguments.json) return nullptr;
  return arguments.output == "-" || arguments.log == "-" ? stderr : stdout;
}

std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string commas(std::int64_t number) { return with_commas(static_cast<std::size_t>(number)); }

// Only a file that apply takes later can be taught.
void refuse_tuned(const ModelFile& file, const std::string& path) {
  if (file.model.tuning() != Tuning::kNone)
    throw VerbError(ExitCode::kUnsupported,
                    path +
                        " is tuned: its packed weights would not follow what is learned; train "
                        "the file that it was made from, and tune the result");
}

// A trainer and the memory that it lies in.
struct TrainerMemory {
  TrainerMemory(const TrainedModels& models, const TrainOptions& options)
      : arena_bytes(expect(Trainer::arena_bytes(models, options))),
        arena(allocate_aligned(arena_bytes)),
        trainer(expect(Trainer::create(models, {arena.get(), arena_bytes}, options))) {}

  std::size_t arena_bytes;
  AlignedMemory arena;
  Trainer trainer;
};

struct Learned {
  std::int64_t tensors = 0, numbers = 0;
};

Learned count_learned(const Trainer& trainer) {
  Learned learned;
  for (int index = 0; index < trainer.learned_count(); ++index) {
    const LearnedTensor tensor = trainer.learned(index);
    ++learned.tensors;
    learned.numbers +=
        static_cast<std::int64_t>(tensor.values.size() + tensor.left.size() + tensor.right.size());
  }
  if (learned.numbers == 0)
    throw VerbError(ExitCode::kBadArgument,
                    "nothing would learn: --trainable and --partner-trainable select no weights "
                    "that gradients reach");
  return learned;
}

TrainingPlan make_plan(const TrainArguments& arguments, const TrainOptions& options,
                       const Batches& batches) {
  TrainingPlan plan;
  plan.task = options.task;
  plan.seed = options.seed;
  plan.batch = options.batch;
  plan.accumulation = options.accumulation;
  plan.steps_an_epoch = batches.batches();
  const std::int64_t epochs = arguments.epochs.value_or(1);
  if (!arguments.steps && epochs > INT64_MAX / 2 / plan.steps_an_epoch)
    throw VerbError(ExitCode::kUsage, "--epochs is more than can be counted");
  plan.steps = arguments.steps.value_or(epochs * plan.steps_an_epoch);
  // Steps behind the last update would change nothing.
  plan.steps -= plan.steps % plan.accumulation;
  if (plan.steps == 0)
    throw VerbError(ExitCode::kUsage, "--accumulate is more than all steps; nothing would move");
  const Interval interval = parse_interval(arguments.checkpoint_every, "--checkpoint-every");
  plan.checkpoint_seconds = interval.seconds;
  plan.checkpoint_steps = interval.steps;
  plan.samples_every = arguments.samples_every > 0 ? arguments.samples_every : plan.steps_an_epoch;
  return plan;
}

void print_plan(std::FILE* lines, const TrainedModels& models, const TrainingPlan& plan,
                const Batches& batches, const TrainerMemory& memory, std::int64_t done) {
  const Trainer& trainer = memory.trainer;
  const Learned learned = count_learned(trainer);
  if (lines == nullptr) return;
  std::fprintf(lines, "learns      %s numbers in %s tensors\n", commas(learned.numbers).c_str(),
               commas(learned.tensors).c_str());
  for (int index = 0; index < trainer.blocking_count(); ++index) {
    const Trainer::Blocking blocking = trainer.blocking(index);
    const Model& model = blocking.model == 0 ? models.model : *models.partner;
    std::fprintf(
        lines, "frozen      what lies before operator %d of '%s', %s '%s', which has no backward\n",
        blocking.operator_index, std::string(model.name()).c_str(),
        std::string(blocking.kind).c_str(), std::string(blocking.name).c_str());
  }
  std::fprintf(lines, "memory      %s: activations %s, state %s\n",
               megabytes(memory.arena_bytes).c_str(), megabytes(trainer.activation_bytes()).c_str(),
               megabytes(trainer.state_bytes()).c_str());
  const std::int64_t left = batches.count() % plan.batch;
  std::fprintf(lines, "examples    %s, in batches of %d", commas(batches.count()).c_str(),
               plan.batch);
  if (left > 0)
    std::fprintf(lines, "; %s that fill none are left out, others in each epoch",
                 commas(left).c_str());
  std::fprintf(lines, "\nsteps       %s, %s an epoch", commas(plan.steps).c_str(),
               commas(plan.steps_an_epoch).c_str());
  if (done > 0) std::fprintf(lines, "; goes on after step %s", commas(done).c_str());
  std::fputc('\n', lines);
  std::fflush(lines);
}

Json to_json(const LossTerms& terms) {
  Json object = Json::object();
  for (const auto& [name, value] : terms) object[name] = value;
  return object;
}

// What `figures` says of an epoch, as two entries of `object`.
void add_figures(Json& object, const EpochFigures& figures) {
  object["losses"] = to_json(figures.losses);
  if (!figures.evaluation.empty()) object["evaluation"] = to_json(figures.evaluation);
}

// One training run from the arguments to the delta.
class Training {
 public:
  explicit Training(const TrainArguments& arguments)
      : arguments_(arguments),
        file_(arguments.model),
        options_(read_options(arguments, file_.model)),
        pool_(make_thread_pool(arguments.threads)) {
    refuse_tuned(file_, arguments.model);
    if (arguments.partner().empty()) return;
    partner_.emplace(arguments.partner());
    refuse_tuned(*partner_, arguments.partner());
  }

  ExitCode run() {
    if (has_ending(arguments_.log, ".png"))
      throw VerbError(ExitCode::kUsage,
                      "--log writes CSV, which " + arguments_.log + " would not be; name it .csv");
    // A place that cannot be written is known before the work; a killed run leaves nothing there.
    if (arguments_.output != "-") {
      const OutputFile tried(arguments_.output);
    }
    const TrainedModels models{file_.model, partner_ ? &partner_->model : nullptr};
    std::optional<std::pair<float, float>> range;
    if (!arguments_.range.empty()) range = parse_range(arguments_.range, "--range");
    options_.threads = pool_.get();
    const Batches batches({arguments_.data, arguments_.targets, arguments_.labels}, models,
                          options_, range);
    const std::unique_ptr<Batches> evaluation = open_evaluation(models, range);
    const TrainingPlan plan = make_plan(arguments_, options_, batches);
    options_.updates = plan.steps / plan.accumulation;
    TrainerMemory memory(models, options_);

    const bool keeps = !arguments_.checkpoint.empty();
    std::optional<Interrupt> interrupt;
    std::optional<Checkpoint> checkpoint;
    std::optional<LossLog> log;
    std::int64_t done = 0;
    if (keeps) {
      interrupt.emplace();
      checkpoint.emplace(arguments_.checkpoint, describe_run(models, options_, batches.identity()));
      done = checkpoint->load(memory.trainer).value_or(0);
      if (done > plan.steps)
        throw VerbError(ExitCode::kBadArgument,
                        arguments_.checkpoint + " is after step " + commas(done) +
                            " already, and this run ends at " + commas(plan.steps));
    }
    if (!arguments_.log.empty()) log.emplace(arguments_.log, done);

    std::FILE* lines = lines_of(arguments_);
    print_plan(lines, models, plan, batches, memory, done);
    TrainingParts parts{.trainer = memory.trainer,
                        .batches = batches,
                        .evaluation = evaluation.get(),
                        .checkpoint = checkpoint ? &*checkpoint : nullptr,
                        .log = log ? &*log : nullptr,
                        .interrupt = interrupt ? &*interrupt : nullptr,
                        .draw_samples = {},
                        .report = [lines](const std::string& line) {
                          if (lines == nullptr) return;
                          std::fprintf(lines, "%s\n", line.c_str());
                          std::fflush(lines);
                        }};
    if (!arguments_.samples.empty())
      parts.draw_samples = [&] {
        write_samples(arguments_.samples, file_.model, memory.trainer, options_.backend);
      };
    const TrainingResult result = run_training(plan, parts, done);
    if (result.interrupted) {
      std::fprintf(
          stderr, "figment train: stopped after step %s of %s; the same command goes on from %s\n",
          commas(result.steps).c_str(), commas(plan.steps).c_str(), arguments_.checkpoint.c_str());
      return ExitCode::kInterrupted;
    }
    require_finite(memory.trainer, result.steps);
    const std::vector<std::byte> delta = delta_of(memory.trainer, result.steps * plan.batch);
    OutputFile(arguments_.output).commit_durably({delta});
    report(plan, result, done, memory, delta.size());
    return ExitCode::kSuccess;
  }

 private:
  std::unique_ptr<Batches> open_evaluation(
      const TrainedModels& models, const std::optional<std::pair<float, float>>& range) const {
    if (!arguments_.evaluation.empty())
      return std::make_unique<Batches>(
          DataFiles{arguments_.evaluation, arguments_.evaluation_targets,
                    arguments_.evaluation_labels},
          models, options_, range);
    if (!arguments_.evaluation_targets.empty() || !arguments_.evaluation_labels.empty())
      throw VerbError(ExitCode::kUsage, "--evaluate-targets and --evaluate-labels need --evaluate");
    return nullptr;
  }

  void report(const TrainingPlan& plan, const TrainingResult& result, std::int64_t done,
              const TrainerMemory& memory, std::size_t delta_bytes) const {
    const std::int64_t steps = result.steps - done;
    const double speed =
        result.seconds > 0 ? static_cast<double>(steps * plan.batch) / result.seconds : 0;
    if (std::FILE* lines = lines_of(arguments_)) {
      std::fprintf(lines, "%s: %s bytes after %s steps; %.1f s, %.1f examples/s\n",
                   arguments_.output.c_str(), with_commas(delta_bytes).c_str(),
                   commas(result.steps).c_str(), result.seconds, speed);
      return;
    }
    Json json{{"model", file_.model.name()}, {"steps", result.steps}, {"steps_before", done}};
    add_figures(json, result.epochs.empty() ? EpochFigures{} : result.epochs.back());
    json["epochs"] = Json::array();
    for (const EpochFigures& figures : result.epochs) {
      json["epochs"].emplace_back();
      add_figures(json["epochs"].back(), figures);
    }
    json["seconds"] = result.seconds;
    json["examples_per_second"] = speed;
    json["arena_bytes"] = memory.arena_bytes;
    json["activation_bytes"] = memory.trainer.activation_bytes();
    json["state_bytes"] = memory.trainer.state_bytes();
    json["delta_bytes"] = delta_bytes;
    json["peak_rss_bytes"] = peak_resident_bytes();
    // It leaves standard output to what goes there.
    const bool taken = arguments_.output == "-" || arguments_.log == "-";
    std::fprintf(taken ? stderr : stdout, "%s\n",
                 json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  }

  const TrainArguments& arguments_;
  ModelFile file_;
  std::optional<ModelFile> partner_;
  TrainOptions options_;
  ThreadPool pool_;
};

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<TrainArguments>();
  declare_train_arguments(app, *arguments);
  return [arguments] { return Training(*arguments).run(); };
}

}  // namespace

const Verb kTrain{
    "train", "teach a model from examples",
    "figment train models/digits_vae/decoder.fgm train-images-idx3-ubyte.gz --encoder "
    "models/digits_vae/encoder.fgm --loss bce --epochs 2 -o digits.delta",
    declare};

}  // namespace figment::host
