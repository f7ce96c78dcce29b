// Times the runtime's choice among the ways to run a transposed convolution against XNNPACK's own
// operator, on a list of shapes, in one process and in turn:
//
//   conv_transpose_sweep [SHAPES.txt] [--all-ways] [--cpu avx2] [--json]
//
// Every shape is a model of one operator with a bias; both outputs must agree. With --all-ways
// every other way is timed too, and the table says how far the choice is from the fastest one: that
// is what the costs of runtime/xnnpack are set by.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "converter/emit/flatbuffer.h"
#include "converter/graph/graph.h"
#include "runtime/xnnpack/ways.h"
#include "targets/host/exit_code.h"
#include "targets/host/processor.h"
#include "targets/host/session_memory.h"
#include "tests/bench/program.h"
#include "tests/bench/turns.h"

namespace {

using namespace figment;
using Json = nlohmann::ordered_json;

constexpr int kMeasurements = 30;
// Slow shapes are measured less often, so that the whole sweep ends within two minutes.
constexpr double kSecondsPerShape = 2;
constexpr double kTolerance = 1e-4;  // relative to max(1, |y|)
constexpr double kNoticeablySlower = 1.05;

const char* const kXnnpack = xnnpack::kDirectConvTranspose2D.name;
const char* const kOtherWays[] = {xnnpack::kDenseConvTranspose2D.name, xnnpack::kColumnsWay.name,
                                  xnnpack::kSmallWinograd.name, xnnpack::kLargeWinograd.name};

struct Arguments {
  std::string shapes = FIGMENT_SOURCE_DIR "/tests/bench/sweep.txt";
  std::string processor;
  bool all_ways = false, json = false;
};

struct Problem {
  int kernel, stride, padding, output_padding, inputs, outputs, height, width;
};

std::vector<Problem> read_problems(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<Problem> problems;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Problem p{};
    std::string rest;
    if (!(words >> p.kernel >> p.stride >> p.padding >> p.output_padding >> p.inputs >> p.outputs >>
          p.height >> p.width) ||
        words >> rest)
      throw std::runtime_error(path + ", line " + std::to_string(number) +
                               ": there must be eight numbers, as the head of sweep.txt says");
    problems.push_back(p);
  }
  if (problems.empty()) throw std::runtime_error(path + " lists no shape");
  return problems;
}

std::vector<float> random_values(std::int64_t count, float range) {
  std::minstd_rand generator(static_cast<unsigned>(count));
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values)
    value = range * (static_cast<float>(generator() >> 8 & 0xFFFF) / 32768.0F - 1);
  return values;
}

// The bytes of a model that is this operator, run as `lowering` says (empty: as the runtime
// chooses).
std::vector<std::byte> make_model(const Problem& p, const std::string& lowering) {
  using converter::make_shape;
  converter::Graph graph;
  graph.name = "one transposed convolution";
  const auto x =
      graph.add_input("x", DataType::kFloat32, make_shape({1, p.height, p.width, p.inputs}));
  // An output sums about (kernel / stride)^2 * inputs products; this keeps it near 1.
  const double summands = std::max(1.0, double(p.kernel) / p.stride);
  const auto range = static_cast<float>(3 / (summands * std::sqrt(p.inputs)));
  const Shape weights = make_shape({1, p.kernel, p.kernel, p.outputs, p.inputs});
  const auto w = graph.add_floats("w", weights, random_values(weights.elements(), range));
  const auto b = graph.add_floats("b", make_shape({p.outputs}), random_values(p.outputs, 1));
  format::ConvTranspose2DT options;
  options.stride_height = options.stride_width = p.stride;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = p.padding;
  options.output_padding_height = options.output_padding_width = p.output_padding;
  const auto y = graph.add_node("node", converter::make_options(options), {x, w, b});
  graph.nodes.back().lowering = lowering;
  graph.outputs.push_back({"y", y, {}});
  return converter::emit(graph, {});
}

// The model in memory and a session on it.
class Candidate {
 public:
  Candidate(const Problem& problem, const std::string& lowering) {
    const std::vector<std::byte> file = make_model(problem, lowering);
    bytes_ = host::allocate_aligned(file.size());
    std::copy(file.begin(), file.end(), bytes_.get());
    model_ = std::make_unique<Model>(
        host::expect(Model::open(std::span<const std::byte>(bytes_.get(), file.size()))));
    memory_ = std::make_unique<host::SessionMemory>(*model_, Options{});
    const std::span<float> x = memory_->session.input(0).values();
    const std::vector<float> values = random_values(static_cast<std::int64_t>(x.size()), 1);
    std::copy(values.begin(), values.end(), x.begin());
    run();
  }
  void run() { host::require(memory_->session.run()); }
  std::string lowering() const { return std::string(memory_->session.operator_report(0).lowering); }
  std::span<const float> output() const { return memory_->session.output(0).values(); }

 private:
  host::AlignedMemory bytes_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<host::SessionMemory> memory_;
};

std::string describe(const Problem& p) {
  char text[96];
  std::snprintf(text, sizeof(text), "k%d s%d p%d+%d %4d->%-4d %3dx%d", p.kernel, p.stride,
                p.padding, p.output_padding, p.inputs, p.outputs, p.height, p.width);
  return text;
}

void require_agreement(const Candidate& candidate, const Candidate& reference,
                       const Problem& problem) {
  const std::span<const float> a = candidate.output(), b = reference.output();
  for (std::size_t i = 0; i < b.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= kTolerance * std::max(1.0F, std::abs(b[i]))))
      throw std::runtime_error(describe(problem) + ": '" + candidate.lowering() + "' gives " +
                               std::to_string(a[i]) + " where '" + reference.lowering() +
                               "' gives " + std::to_string(b[i]));
}

struct Timed {
  std::string lowering;
  double ms;  // median
};

struct Outcome {
  Problem problem;
  // The choice, XNNPACK's own operator unless it was chosen, and with --all-ways the others.
  std::vector<Timed> ways;

  const Timed& chosen() const { return ways.front(); }
  const Timed& xnnpack() const { return ways[chosen().lowering == kXnnpack ? 0 : 1]; }
  const Timed& fastest() const {
    return *std::min_element(ways.begin(), ways.end(),
                             [](const Timed& a, const Timed& b) { return a.ms < b.ms; });
  }
  double speed_up() const { return xnnpack().ms / chosen().ms; }
  double missed() const { return chosen().ms / fastest().ms - 1; }
};

Outcome measure(const Problem& problem, bool all_ways) {
  std::vector<std::unique_ptr<Candidate>> candidates;
  candidates.push_back(std::make_unique<Candidate>(problem, ""));
  const std::string chosen = candidates.front()->lowering();
  std::vector<std::string> wishes;
  if (chosen != kXnnpack) wishes.emplace_back(kXnnpack);
  if (all_ways)
    for (const char* way : kOtherWays)
      if (way != chosen) wishes.emplace_back(way);
  for (const std::string& wish : wishes) {
    auto candidate = std::make_unique<Candidate>(problem, wish);
    if (candidate->lowering() != wish) continue;  // this way does not take the shape
    require_agreement(*candidate, *candidates.front(), problem);
    candidates.push_back(std::move(candidate));
  }
  std::vector<bench::Contender> contenders;
  for (const auto& candidate : candidates)
    contenders.emplace_back([candidate = candidate.get()] { candidate->run(); });
  bench::take_turns(contenders, kMeasurements, kSecondsPerShape);
  Outcome outcome{problem, {}};
  for (std::size_t i = 0; i < candidates.size(); ++i)
    outcome.ways.push_back({candidates[i]->lowering(), contenders[i].times().median});
  return outcome;
}

void print_head(const Arguments& arguments) {
  std::printf("one thread, batch 1, %s, medians; k kernel, s stride, p padding+output padding\n\n",
              host::loops_name().c_str());
  std::printf("%-34s  %-14s %10s %12s %6s", "shape", "chosen", "ms", "XNNPACK's ms", "ratio");
  if (arguments.all_ways) std::printf("  %-14s %9s", "fastest", "missed by");
  std::printf("\n");
}

void print_row(const Outcome& outcome, bool all_ways) {
  std::printf("%-34s  %-14s %10.4f %12.4f %6.2f", describe(outcome.problem).c_str(),
              outcome.chosen().lowering.c_str(), outcome.chosen().ms, outcome.xnnpack().ms,
              outcome.speed_up());
  if (all_ways)
    std::printf("  %-14s %8.1f%%", outcome.fastest().lowering.c_str(), 100 * outcome.missed());
  std::printf("\n");
  std::fflush(stdout);
}

Json json_of(const Outcome& outcome, bool all_ways) {
  const Problem& p = outcome.problem;
  Json row{{"kernel", p.kernel},
           {"stride", p.stride},
           {"padding", p.padding},
           {"output_padding", p.output_padding},
           {"inputs", p.inputs},
           {"outputs", p.outputs},
           {"height", p.height},
           {"width", p.width},
           {"chosen", outcome.chosen().lowering},
           {"chosen_ms", outcome.chosen().ms},
           {"xnnpack_ms", outcome.xnnpack().ms},
           {"ratio", outcome.speed_up()}};
  if (all_ways) {
    row["ways_ms"] = Json::object();
    for (const Timed& way : outcome.ways) row["ways_ms"][way.lowering] = way.ms;
    row["fastest"] = outcome.fastest().lowering;
    row["missed"] = outcome.missed();
  }
  return row;
}

int sweep(const Arguments& arguments) {
  const std::vector<Problem> problems = read_problems(arguments.shapes);
  host::cap_processor(arguments.processor);
  if (!arguments.json) print_head(arguments);
  Json rows = Json::array();
  double logarithms = 0, worst = HUGE_VAL, most_missed = 0, logarithms_missed = 0;
  int slower = 0;
  for (const Problem& problem : problems) {
    const Outcome outcome = measure(problem, arguments.all_ways);
    worst = std::min(worst, outcome.speed_up());
    logarithms += std::log(outcome.speed_up());
    most_missed = std::max(most_missed, outcome.missed());
    logarithms_missed += std::log1p(outcome.missed());
    if (outcome.speed_up() * kNoticeablySlower < 1) ++slower;
    if (arguments.json)
      rows.push_back(json_of(outcome, arguments.all_ways));
    else
      print_row(outcome, arguments.all_ways);
  }
  const auto count = static_cast<double>(problems.size());
  const double mean = std::exp(logarithms / count);
  const double mean_missed = std::expm1(logarithms_missed / count);
  if (arguments.json) {
    Json result{{"cpu", host::loops_name()},
                {"shapes", rows},
                {"worst_ratio", worst},
                {"geometric_mean", mean},
                {"slower_by_5_percent", slower}};
    if (arguments.all_ways) {
      result["most_missed"] = most_missed;
      result["mean_missed"] = mean_missed;
    }
    std::printf("%s\n", result.dump(2).c_str());
    return 0;
  }
  std::printf(
      "\n%zu shapes: ratio %.2f at worst, %.2f as geometric mean; %d slower by more than 5 %%\n",
      problems.size(), worst, mean, slower);
  if (arguments.all_ways)
    std::printf(
        "the choice misses the fastest way by %.1f %% at worst, %.1f %% as geometric mean\n",
        100 * most_missed, 100 * mean_missed);
  return 0;
}

}  // namespace

int main(int count, char** values) {
  Arguments arguments;
  CLI::App app{"Times the runtime's choice for transposed convolutions against XNNPACK's operator",
               "conv_transpose_sweep"};
  app.add_option("shapes", arguments.shapes, "A list of shapes, as tests/bench/sweep.txt");
  app.add_flag("--all-ways", arguments.all_ways,
               "Also every other way, and by how much it is missed");
  host::add_processor_option(app, arguments.processor);
  app.add_flag("--json", arguments.json, "Print one JSON object");
  return bench::run_program(app, count, values, [&] { return sweep(arguments); });
}
