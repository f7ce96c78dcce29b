// figment tune: measures the ways to run each operator here, and writes a file that holds the best
// of them and the weights packed for them.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "converter/emit/tuned.h"
#include "runtime/layout.h"
#include "targets/host/arguments.h"
#include "targets/host/model_file.h"
#include "targets/host/output_file.h"
#include "targets/host/profile.h"
#include "targets/host/session_memory.h"
#include "targets/host/thread_pool.h"
#include "targets/host/verb.h"
#ifdef FIGMENT_WITH_XNNPACK
#include "runtime/xnnpack/packed_weights.h"
#include "runtime/xnnpack/ways.h"
#endif

namespace figment::host {
namespace {

struct Arguments {
  std::string model, output;
  int batch = 1, threads = 1;
  double seconds = 0.5;
  bool json = false;
};

using converter::TunedOperator;

// What was found for one operator.
struct Finding {
  std::string chosen_before;  // what the runtime would do
  double ms_before = 0;
  std::string lowering;  // the best
  double ms = 0;
  std::size_t packed_bytes = 0;
};

// A model in memory of its own.
struct OwnModel {
  explicit OwnModel(const std::vector<std::byte>& file) : bytes(allocate_aligned(file.size())) {
    std::copy(file.begin(), file.end(), bytes.get());
    model.emplace(expect(Model::open({bytes.get(), file.size()})));
  }
  AlignedMemory bytes;
  std::optional<Model> model;
};

#ifdef FIGMENT_WITH_XNNPACK

// Another way must save so much of an operator's time, or the measurement may be mistaken ...
constexpr double kLeastGain = 0.02;
// ... and so much where it takes half as much memory again for its weights.
constexpr double kLeastGainForMemory = 0.25;

// The model's weights packed, in `arena`, and where they lie in it.
void pack(const Model& model, const Options& options, std::vector<TunedOperator>& operators,
          AlignedMemory& arena) {
  const auto record = [](void* context, std::int32_t index, std::span<const std::byte> block) {
    (*static_cast<std::vector<TunedOperator>*>(context))[static_cast<std::size_t>(index)]
        .blocks.push_back(block);
  };
  std::size_t bytes = expect(Session::arena_bytes(model, options));
  while (true) {
    arena = allocate_aligned(bytes);
    for (TunedOperator& tuned : operators) tuned.blocks.clear();
    const Status status =
        record_packed_weights(model, {arena.get(), bytes}, options, {&operators, record});
    if (status.code != ErrorCode::kArenaTooSmall) return require(status);
    bytes = std::max(status.bytes_needed, bytes + bytes / 8);
  }
}

// How one operator ran.
struct Trial {
  std::string lowering;
  double ms = 0;
  std::size_t packed_bytes = 0;
};

// Every operator as `wish` says, where it can.
std::vector<Trial> try_all(const Model& model, const std::string& wish, const Options& options,
                           double seconds) {
  std::vector<TunedOperator> operators(static_cast<std::size_t>(model.operator_count()),
                                       {wish, {}});
  const OwnModel variant(converter::emit_tuned(model, operators, ""));
  std::vector<OperatorReport> reports;
  const std::vector<double> ms = profile_operators(*variant.model, options, seconds, 0, &reports);
  AlignedMemory arena;
  pack(*variant.model, options, operators, arena);
  std::vector<Trial> trials;
  trials.reserve(operators.size());
  for (std::size_t i = 0; i < operators.size(); ++i) {
    std::size_t bytes = 0;
    for (const std::span<const std::byte> block : operators[i].blocks) bytes += block.size();
    trials.push_back({std::string(reports[i].lowering), ms[i], bytes});
  }
  return trials;
}

bool is_better(const Trial& trial, const Finding& best) {
  const bool larger = 2 * trial.packed_bytes > 3 * best.packed_bytes;
  return trial.ms < best.ms * (1 - (larger ? kLeastGainForMemory : kLeastGain));
}

std::vector<Finding> find_best(const Model& model, const Options& options, double seconds) {
  std::vector<Finding> findings(static_cast<std::size_t>(model.operator_count()));
  // First as the runtime would do, and again at the end, for the processor's clock may have
  // changed.
  std::vector<std::string> wishes{""};
  for (const char* name : xnnpack::way_names()) wishes.emplace_back(name);
  wishes.emplace_back("");
  for (std::size_t round = 0; round < wishes.size(); ++round) {
    const std::vector<Trial> trials = try_all(model, wishes[round], options, seconds);
    for (std::size_t i = 0; i < findings.size(); ++i) {
      Finding& finding = findings[i];
      const Trial& trial = trials[i];
      if (round == 0)
        finding = {trial.lowering, trial.ms, trial.lowering, trial.ms, trial.packed_bytes};
      if (trial.lowering == finding.chosen_before)
        finding.ms_before = std::min(finding.ms_before, trial.ms);
      if (trial.lowering == finding.lowering)
        finding.ms = std::min(finding.ms, trial.ms);
      else if (is_better(trial, finding))
        finding = {finding.chosen_before, finding.ms_before, trial.lowering, trial.ms,
                   trial.packed_bytes};
    }
  }
  return findings;
}

void print(const Model& model, const std::vector<Finding>& findings, const std::string& output,
           std::size_t bytes) {
  double before = 0;
  double after = 0;
  std::printf("  %4s  %-20s %-24s %10s   %s\n", "#", "operator", "runs as", "ms", "before");
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    before += finding.ms_before;
    after += finding.ms;
    const auto& node = *model.root().operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
    std::printf("  %4zu  %-20s %-24s %10.4f   ", i, entry_of(node).kind, finding.lowering.c_str(),
                finding.ms);
    if (finding.lowering == finding.chosen_before)
      std::printf("the same\n");
    else
      std::printf("%s, %.4f ms\n", finding.chosen_before.c_str(), finding.ms_before);
  }
  std::printf("%s: %.4f ms in all operators, %.4f before; %.3f MB\n", output.c_str(), after, before,
              static_cast<double>(bytes) / 1e6);
}

nlohmann::ordered_json to_json(const std::vector<Finding>& findings, std::size_t bytes) {
  nlohmann::ordered_json operators = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < findings.size(); ++i)
    operators.push_back({{"index", i},
                         {"lowering", findings[i].lowering},
                         {"ms", findings[i].ms},
                         {"lowering_before", findings[i].chosen_before},
                         {"ms_before", findings[i].ms_before}});
  return {{"file_bytes", bytes}, {"operators", operators}};
}

ExitCode tune(const Arguments& arguments) {
  const ModelFile file(arguments.model);
  OutputFile output(arguments.output);
  const ThreadPool pool = make_thread_pool(arguments.threads);
  Options options;
  options.batch = arguments.batch;
  options.threads = pool.get();
  const std::vector<Finding> findings = find_best(file.model, options, arguments.seconds);

  std::vector<TunedOperator> operators;
  operators.reserve(findings.size());
  for (const Finding& finding : findings) operators.push_back({finding.lowering, {}});
  const OwnModel chosen(converter::emit_tuned(file.model, operators, ""));
  AlignedMemory arena;
  pack(*chosen.model, options, operators, arena);
  const xnnpack::Fingerprint here;
  const std::vector<std::byte> bytes =
      converter::emit_tuned(file.model, operators, std::string(here.text()));
  output.commit(bytes);
  // The report leaves standard output to the model when that is where it goes.
  if (arguments.json)
    std::fprintf(arguments.output == "-" ? stderr : stdout, "%s\n",
                 to_json(findings, bytes.size()).dump(2).c_str());
  else if (arguments.output != "-")
    print(file.model, findings, arguments.output, bytes.size());
  return ExitCode::kSuccess;
}

#else

ExitCode tune(const Arguments& /*arguments*/) {
  throw VerbError(
      ExitCode::kUnsupported,
      "this build has the portable backend alone, which runs every operator in one way");
}

#endif

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("model", arguments->model, "The model, an .fgm file")->required();
  app.add_option("-o,--output", arguments->output, "The tuned model")->required();
  app.add_option("--batch", arguments->batch, "Samples in one run")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  app.add_option("--threads", arguments->threads, "Threads of the pool")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--seconds", arguments->seconds, "How long to measure each way")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  app.add_flag("--json", arguments->json, "Print one JSON object");
  return [arguments] { return tune(*arguments); };
}

}  // namespace

const Verb kTune{"tune", "find the fastest way to run a model here",
                 "figment tune models/digits_gan/generator.fgm -o generator.tuned.fgm", declare};

}  // namespace figment::host
