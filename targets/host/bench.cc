// figment bench: how fast a model runs here and what memory it takes.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "targets/host/arguments.h"
#include "targets/host/model_file.h"
#include "targets/host/process.h"
#include "targets/host/processor.h"
#include "targets/host/profile.h"
#include "targets/host/session_memory.h"
#include "targets/host/statistics.h"
#include "targets/host/thread_pool.h"
#include "targets/host/verb.h"

namespace figment::host {
namespace {

struct Arguments {
  std::string model, backend = "xnnpack";
  std::string processor;  // of cap_processor()
  int batch = 1, threads = 1;
  int runs = 0;  // 0: as many as fit in `seconds`
  double seconds = 1;
  bool operators = false, json = false;
};

struct Measurement {
  Statistics latency;
  int runs = 0, samples_at_once = 0;
  double first_sample_ms = 0;
  std::size_t arena_bytes = 0, packed_bytes = 0;
};

// In a session of their own, so that the clock between operators does not count in the latency.
nlohmann::ordered_json describe_operators(const Model& model, const Options& options,
                                          const Arguments& arguments) {
  std::vector<OperatorReport> reports;
  const std::vector<double> medians =
      profile_operators(model, options, arguments.seconds, arguments.runs, &reports);
  double sum = 0;
  for (const double ms : medians) sum += ms;
  nlohmann::ordered_json operators = nlohmann::ordered_json::array();
  for (std::size_t index = 0; index < medians.size(); ++index) {
    const OperatorReport& report = reports[index];
    const double ms = medians[index];
    operators.push_back({{"index", index},
                         {"kind", report.kind},
                         {"name", report.name},
                         {"lowering", report.lowering},
                         {"ms", ms},
                         {"share", sum > 0 ? ms / sum : 0.0},
                         {"gflops", ms > 0 ? 2 * report.multiply_adds / ms / 1e6 : 0.0}});
  }
  return operators;
}

void print(const nlohmann::ordered_json& result, int runs) {
  const auto& latency = result["latency_ms"];
  const auto megabytes = [&](const char* key) { return result[key].get<double>() / 1e6; };
  const int batch = result["batch"].get<int>(), at_once = result["samples_at_once"].get<int>();
  const std::string parts = at_once < batch ? " in parts of " + std::to_string(at_once) : "";
  std::printf("%s: %s, %s, batch %d%s, %d thread%s, %d runs\n",
              result["model"].get<std::string>().c_str(),
              result["backend"].get<std::string>().c_str(),
              result["cpu"].get<std::string>().c_str(), batch, parts.c_str(),
              result["threads"].get<int>(), result["threads"].get<int>() == 1 ? "" : "s", runs);
  std::printf("  latency        %.4f ms median, %.4f min, %.4f 95th percentile\n",
              latency["median"].get<double>(), latency["min"].get<double>(),
              latency["p95"].get<double>());
  std::printf("  throughput     %.1f samples/s\n", result["samples_per_second"].get<double>());
  std::printf("  arena          %.3f MB, of which packed %.3f MB\n", megabytes("arena_bytes"),
              megabytes("packed_bytes"));
  std::printf("  file           %.3f MB\n", megabytes("file_bytes"));
  std::printf("  peak memory    %.1f MB of the process\n", megabytes("peak_rss_bytes"));
  std::printf("  first sample   %.1f ms after the start of the process\n",
              result["first_sample_ms"].get<double>());
  if (!result.contains("operators")) return;
  std::printf("\n  %4s  %-20s %-24s %10s %7s %9s\n", "#", "operator", "lowering", "ms", "share",
              "GFLOP/s");
  for (const auto& row : result["operators"])
    std::printf("  %4d  %-20s %-24s %10.4f %6.1f%% %9.2f\n", row["index"].get<int>(),
                row["kind"].get<std::string>().c_str(), row["lowering"].get<std::string>().c_str(),
                row["ms"].get<double>(), 100 * row["share"].get<double>(),
                row["gflops"].get<double>());
}

ExitCode bench(const Arguments& arguments) {
  cap_processor(arguments.processor);
  // The first sample comes before anything that only a benchmark does.
  Options options;
  options.backend = parse_backend(arguments.backend);
  options.batch = arguments.batch;
  const ModelFile file(arguments.model);
  const ThreadPool pool = make_thread_pool(arguments.threads);
  options.threads = pool.get();
  Measurement measured;
  {
    SessionMemory memory(file.model, options);
    fill_inputs(file.model, memory.session);
    require(memory.session.run());
    measured.first_sample_ms = ms_since_process_start();
    // A tenth first, so that caches, the page table and the processor's clock are as in steady
    // work.
    time_runs(memory.session, arguments.seconds / 10, (arguments.runs + 9) / 10);
    std::vector<double> times = time_runs(memory.session, arguments.seconds, arguments.runs);
    measured.runs = static_cast<int>(times.size());
    measured.latency = summarize(std::move(times));
    measured.arena_bytes = memory.arena_bytes;
    measured.packed_bytes = memory.session.packed_bytes();
    measured.samples_at_once = memory.session.samples_at_once();
  }
  nlohmann::ordered_json result{
      {"model", file.model.name()},
      {"backend", arguments.backend},
      {"cpu", loops_name()},
      {"batch", arguments.batch},
      {"samples_at_once", measured.samples_at_once},
      {"threads", arguments.threads},
      {"latency_ms",
       {{"min", measured.latency.min},
        {"median", measured.latency.median},
        {"p95", measured.latency.p95}}},
      {"samples_per_second", 1000.0 * arguments.batch / measured.latency.median},
      {"arena_bytes", measured.arena_bytes},
      {"packed_bytes", measured.packed_bytes},
      {"file_bytes", file.file.bytes().size()},
      {"peak_rss_bytes", peak_resident_bytes()},
      {"first_sample_ms", measured.first_sample_ms}};
  if (arguments.operators) result["operators"] = describe_operators(file.model, options, arguments);
  if (arguments.json)
    std::printf(
        "%s\n",
        result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  else
    print(result, measured.runs);
  return ExitCode::kSuccess;
}

std::function<ExitCode()> declare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  app.add_option("model", arguments->model, "The model, an .fgm file")->required();
  app.add_option("--batch", arguments->batch, "Samples in one run")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  app.add_option("--threads", arguments->threads, "Threads of the pool")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--runs", arguments->runs,
                 "Runs to measure (default: as many as fit in --seconds)")
      ->check(CLI::Range(1, 100000000));
  app.add_option("--seconds", arguments->seconds, "How long to measure")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  app.add_flag("--ops", arguments->operators, "Also the time of every operator");
  app.add_option("--backend", arguments->backend, "xnnpack or portable")->capture_default_str();
  add_processor_option(app, arguments->processor);
  app.add_flag("--json", arguments->json, "Print one JSON object");
  return [arguments] { return bench(*arguments); };
}

}  // namespace

const Verb kBench{"bench", "measure speed and memory",
                  "figment bench models/digits_gan/generator.fgm --ops --json > profile.json",
                  declare};

}  // namespace figment::host
