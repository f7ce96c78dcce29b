// Runs the built command line as a user's shell would.
#pragma once

#include <string>

namespace figment::testing {

struct CommandResult {
  int code = -1;  // exit code; -1: ended by a signal
  std::string output, error;
};

// `arguments` as one line of a POSIX shell, after the program's name; `input` is its standard
// input.
CommandResult run_figment(const std::string& arguments, const std::string& input = {});

// The repository's folder with a '/' at the end.
std::string source_folder();

}  // namespace figment::testing
