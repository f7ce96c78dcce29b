// What a verb of the command line is. Each has a file of its own, which defines one constant
// k<Verb>; the table of verbs is in main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "targets/host/exit_code.h"

namespace figment::host {

struct Verb {
  const char* name;
  const char* summary;  // one line of `figment --help`
  const char* example;  // shown by `figment VERB --help`
  // Declares the verb's arguments on `app` and returns what to do once they are parsed. The action
  // throws VerbError or converter::ConvertError.
  std::function<ExitCode()> (*declare)(CLI::App& app);
};

extern const Verb kConvert;
extern const Verb kShow;
extern const Verb kRun;
extern const Verb kSample;
extern const Verb kCheck;
extern const Verb kBench;
extern const Verb kTune;
extern const Verb kTrain;
extern const Verb kApply;
extern const Verb kMerge;
extern const Verb kDemo;

}  // namespace figment::host
