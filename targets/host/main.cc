// The command line: looks its first argument up in the table of verbs, and turns every error into
// one sentence on standard error and an exit code.
#include <cstdio>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "converter/calibrate.h"
#include "targets/host/process.h"
#include "targets/host/verb.h"

namespace {

using figment::host::ExitCode;
using figment::host::Verb;

// In the order in which a new user meets them.
const Verb* const kVerbs[] = {
    &figment::host::kDemo,   &figment::host::kConvert, &figment::host::kShow,
    &figment::host::kSample, &figment::host::kRun,     &figment::host::kCheck,
    &figment::host::kBench,  &figment::host::kTune,    &figment::host::kTrain,
    &figment::host::kApply,  &figment::host::kMerge,
};

void print_verbs() {
  std::printf(
      "Figment %.*s: draws samples from trained VAEs and GANs.\n\nusage: figment VERB "
      "[ARGUMENTS]\n\n",
      static_cast<int>(figment::kVersion.size()), figment::kVersion.data());
  for (const Verb* verb : kVerbs) std::printf("  %-9s %s\n", verb->name, verb->summary);
  std::printf(
      "\n`figment VERB --help` tells more and shows an example. `-` as a file is standard input or "
      "output.\n");
}

int fail(const std::string& verb, ExitCode code, std::string sentence) {
  // Libraries end their messages in many ways; ours is one line.
  for (char& letter : sentence)
    if (letter == '\n') letter = ' ';
  while (!sentence.empty() && (sentence.back() == ' ' || sentence.back() == '.'))
    sentence.pop_back();
  std::fprintf(stderr, "figment %s: %s\n", verb.c_str(), sentence.c_str());
  return static_cast<int>(code);
}

int run_verb(const Verb& verb, std::vector<std::string> arguments) {
  CLI::App app{verb.summary, std::string("figment ") + verb.name};
  app.footer(std::string("Example:\n  ") + verb.example);
  const auto action = verb.declare(app);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
    app.parse(reversed);
    const ExitCode code = action();
    if (std::fflush(stdout) != 0)
      return fail(verb.name, ExitCode::kInputOutput, "standard output cannot be written");
    return static_cast<int>(code);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(verb.name, ExitCode::kUsage,
                std::string(error.what()) + "; see figment " + verb.name + " --help");
  } catch (const figment::host::VerbError& error) {
    return fail(verb.name, error.code, error.what());
  } catch (const figment::converter::DamagedFile& error) {
    return fail(verb.name, ExitCode::kBadFile, error.what());
  } catch (const figment::converter::BadCalibration& error) {
    return fail(verb.name, ExitCode::kBadArgument, error.what());
  } catch (const figment::converter::ConvertError& error) {
    return fail(verb.name, ExitCode::kUnsupported, error.what());
  } catch (const std::bad_alloc&) {
    return fail(verb.name, ExitCode::kMemory, "there is not enough memory");
  } catch (const std::exception& error) {
    return fail(verb.name, ExitCode::kBadFile, error.what());
  }
}

}  // namespace

int main(int count, char** values) {
  figment::host::note_process_start();
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.empty()) {
    print_verbs();
    return static_cast<int>(ExitCode::kUsage);
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_verbs();
    return 0;
  }
  if (name == "--version") {
    std::printf("figment %.*s\n", static_cast<int>(figment::kVersion.size()),
                figment::kVersion.data());
    return 0;
  }
  for (const Verb* verb : kVerbs)
    if (name == verb->name) return run_verb(*verb, {arguments.begin() + 1, arguments.end()});

  std::fprintf(stderr, "figment %s: there is no such verb; `figment --help` lists them\n",
               name.c_str());
  return static_cast<int>(ExitCode::kUsage);
}
