// The frame of a benchmark program: its arguments, and every error as one sentence on standard
// error.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>

namespace figment::bench {

inline int fail(const std::string& program, const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), sentence.c_str());
  return 1;
}

// Parses the arguments that `app` declares, then does `work`, whose result is the exit code.
inline int run_program(CLI::App& app, int count, char** arguments,
                       const std::function<int()>& work) {
  try {
    app.parse(count, arguments);
    return work();
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const std::exception& error) {
    return fail(app.get_name(), error.what());
  }
}

}  // namespace figment::bench
