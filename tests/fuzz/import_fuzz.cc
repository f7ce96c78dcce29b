// Damaged files for the importers: each must give a graph or one sentence, in bounded memory.
//
//   figment_fuzz FORMAT SEEDS... [--seconds S | --runs N] [--seed K]
//                [--network FILE] [--part LAYER[,LAYER=7x7x32]...]
//
// SEEDS are sound files, or folders of them; first they are tried as they are, so that a file that
// was found is tried again with --runs 0. A --part is what --from and --shape name elsewhere; each
// run takes the whole model or one of those given. The file being tried stands in a folder that is
// printed first, and stays there when the program crashes or hangs; what else is found is kept
// beside it.
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "tests/fuzz/attempt.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/seed.h"

namespace figment::fuzz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Target {
  std::vector<std::string> endings;  // of its files, in folders
  // What a small file may take that is refused, see README.md.
  std::size_t floor;
};

// Buffers and tables that do not grow with the file; TFLite's constants may take 1 MB beside them.
constexpr std::size_t kPlain = std::size_t{2} << 20;
// What descriptions of models (JSON, pickles, protobuf's messages) may take however small the file.
constexpr std::size_t kDescribed = std::size_t{20} << 20;
// The 16 MB of constants that operators may make of a few numbers.
constexpr std::size_t kMade = std::size_t{16} << 20;
// Protobuf sets 50 MB aside for a text that says it is so long, before it looks for its end.
constexpr std::size_t kLongText = std::size_t{50} << 20;

const std::map<std::string, Target> kTargets = {
    {"onnx", {{".onnx"}, kDescribed + kMade + kLongText}},
    {"flux", {{".bson", ".jld2"}, kPlain}},
    {"torch", {{".pt", ".pth"}, kDescribed + kMade}},
    {"safetensors", {{".safetensors"}, kDescribed}},
    {"keras", {{".keras", ".h5"}, kDescribed}},
    {"tflite", {{".tflite"}, kPlain}},
    {"tfjs", {{".json"}, kDescribed + kMade}},
};

// Longer is a file that hangs, on any machine and under any sanitizer.
constexpr unsigned kMostSeconds = 30;
constexpr int kMostFindings = 10;

struct Part {
  std::string from;
  std::map<std::string, std::vector<std::int64_t>> shapes;
};

struct Settings {
  std::string format;
  std::vector<fs::path> seeds;
  double seconds = 0;  // 0: as many as `runs`
  long runs = 1000;
  unsigned long seed = 1;
  fs::path network;
  std::vector<Part> parts = {Part()};  // the first is the whole
};

// "model.decoder,model.decoder.4=3x2x2"
Part read_part(const std::string& text) {
  Part part;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      part.from = word;
      continue;
    }
    std::istringstream extents(word.substr(equals + 1));
    for (std::string extent; std::getline(extents, extent, 'x');)
      part.shapes[word.substr(0, equals)].push_back(std::atoll(extent.c_str()));
  }
  return part;
}

// A folder of this process's own: in TMPDIR, else in memory where there is such a place.
fs::path make_folder() {
  const fs::path parent = std::getenv("TMPDIR") == nullptr && fs::is_directory("/dev/shm")
                              ? fs::path("/dev/shm")
                              : fs::temp_directory_path();
  fs::path folder = parent / ("figment_fuzz_" + std::to_string(::getpid()));
  fs::create_directories(folder / "tried");
  return folder;
}

class Fuzz {
 public:
  explicit Fuzz(const Settings& settings)
      : settings_(settings),
        target_(kTargets.at(settings.format)),
        seeds_(read_seeds(settings.seeds, target_.endings)),
        random_(settings.seed) {}

  // The exit code.
  int run();

 private:
  converter::ImportOptions options_for(const Seed& seed, bool some);
  void attempt_at(const fs::path& path, const converter::ImportOptions& options);
  void report() const;

  Settings settings_;
  Target target_;
  std::vector<Seed> seeds_;
  std::mt19937_64 random_;
  fs::path folder_;
  long runs_ = 0, accepted_ = 0;
  int findings_ = 0;
  double slowest_ = 0;        // seconds
  double highest_ratio_ = 0;  // of memory to file, of refused files beyond the floor
  long most_beyond_ = 0;      // bytes beyond kMostExpansion times the file
};

// The options of a run: those that a user would give, and some that do not fit.
converter::ImportOptions Fuzz::options_for(const Seed& seed, bool some) {
  converter::ImportOptions options;
  options.network = settings_.network;
  for (const auto& [name, shape] : seed.inputs) options.input_shapes[name] = shape;
  if (!some) return options;
  if (below(4, random_) == 0) options.network.clear();
  const Part& part = settings_.parts[below(settings_.parts.size(), random_)];
  options.from = part.from;
  options.layer_shapes = part.shapes;
  options.for_training = below(4, random_) == 0;
  if (below(8, random_) == 0) options.batch = 3;
  return options;
}

void Fuzz::attempt_at(const fs::path& path, const converter::ImportOptions& options) {
  ::alarm(kMostSeconds);
  const auto begun = Clock::now();
  const Attempt made = attempt(path, options, target_.floor);
  slowest_ = std::max(slowest_, std::chrono::duration<double>(Clock::now() - begun).count());
  ::alarm(0);
  ++runs_;
  if (!made.refused) {
    ++accepted_;
  } else {
    const long beyond =
        static_cast<long>(made.peak_bytes) - static_cast<long>(kMostExpansion * made.file_bytes);
    most_beyond_ = std::max(most_beyond_, beyond);
    if (made.file_bytes > 0 && made.peak_bytes > target_.floor)
      highest_ratio_ =
          std::max(highest_ratio_, static_cast<double>(made.peak_bytes - target_.floor) /
                                       static_cast<double>(made.file_bytes));
  }
  if (made.finding.empty()) return;
  const fs::path kept = folder_ / ("found_" + std::to_string(++findings_));
  fs::copy(path.parent_path(), kept, fs::copy_options::recursive);
  std::printf("%s: %s\n", (kept / path.filename()).c_str(), made.finding.c_str());
}

int Fuzz::run() {
  if (seeds_.empty()) {
    std::fputs("figment_fuzz: there are no seeds\n", stderr);
    return 2;
  }
  folder_ = make_folder();
  const fs::path tried = folder_ / "tried";
  std::printf("%s: %zu seeds, tried as %s/...\n", settings_.format.c_str(), seeds_.size(),
              tried.c_str());
  std::fflush(stdout);
  const auto end = Clock::now() + std::chrono::duration<double>(settings_.seconds);
  const auto clear = [&] {
    for (const auto& each : fs::directory_iterator(tried)) fs::remove(each.path());
  };
  for (const Seed& seed : seeds_) {
    attempt_at(write_whole(seed, tried), options_for(seed, false));
    clear();
  }
  for (long run = 0; findings_ < kMostFindings; ++run) {
    if (settings_.seconds > 0 ? Clock::now() >= end : run >= settings_.runs) break;
    const Seed& seed = seeds_[below(seeds_.size(), random_)];
    const Seed& other = seeds_[below(seeds_.size(), random_)];
    const fs::path path = write_damaged(seed, other, tried, random_);
    attempt_at(path, options_for(seed, true));
    clear();
  }
  report();
  if (findings_ > 0) return 1;
  fs::remove_all(folder_);
  return 0;
}

void Fuzz::report() const {
  std::printf(
      "%s: %ld runs, %ld accepted, %d findings; at most %.1f KB beyond %zu times the file (%.2f "
      "times the file beyond %zu KB); slowest %.2f s\n",
      settings_.format.c_str(), runs_, accepted_, findings_,
      static_cast<double>(most_beyond_) / 1024, kMostExpansion, highest_ratio_,
      target_.floor / 1024, slowest_);
}

}  // namespace
}  // namespace figment::fuzz

int main(int count, char** words) {
  using namespace figment::fuzz;
  Settings settings;
  std::vector<std::string> parts;
  CLI::App app("Gives damaged files to an importer", "figment_fuzz");
  app.add_option("format", settings.format, "Whose files")
      ->required()
      ->check(CLI::IsMember(&kTargets));
  app.add_option("seeds", settings.seeds, "Sound files, or folders of them")
      ->required()
      ->check(CLI::ExistingPath);
  app.add_option("--seconds", settings.seconds, "How long");
  app.add_option("--runs", settings.runs, "How often, where no time is given");
  app.add_option("--seed", settings.seed, "Of the damage");
  app.add_option("--network", settings.network, "The network of files that hold weights alone");
  app.add_option("--part", parts, "A part to import, LAYER[,LAYER=7x7x32]; may be given again")
      ->take_all()
      ->expected(1);
  CLI11_PARSE(app, count, words);
  for (const std::string& part : parts) settings.parts.push_back(read_part(part));
#ifndef __SANITIZE_ADDRESS__
  // A claim beyond this fails at once, and is found by its sentence; the sanitizer needs far more.
  constexpr rlimit kMemory = {rlim_t{1} << 30, rlim_t{1} << 30};
  ::setrlimit(RLIMIT_AS, &kMemory);
#endif
  return Fuzz(settings).run();
}
