// The exit codes of the command line, one for each class of error, and the exception that carries
// them to main().
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "figment/figment.h"

namespace figment::host {

// Documented in README.md here; scripts rely on them.
enum class ExitCode : int {
  kSuccess = 0,
  kUsage = 2,           // the arguments make no sense
  kBadFile = 3,         // a damaged file, or not the kind of file that was promised
  kUnsupported = 4,     // a sound file that cannot be converted or run here
  kBadArgument = 5,     // the values do not fit the model: wrong name, shape, batch
  kMemory = 6,          // not enough memory
  kBackend = 7,         // XNNPACK refused
  kInputOutput = 8,     // a file cannot be read or written
  kGoldenMismatch = 9,  // check: the model does not compute here what it should
  kInterrupted = 130,   // train: Ctrl-C, with the run kept in its checkpoint
};

// What went wrong in a verb: one sentence for the user, without a full stop at the end.
struct VerbError : std::runtime_error {
  VerbError(ExitCode exit_code, const std::string& sentence)
      : std::runtime_error(sentence), code(exit_code) {}
  ExitCode code;
};

ExitCode exit_code_of(ErrorCode code);

// Throws VerbError when `status` is an error. `subject` (a file's name) goes before the sentence.
void require(const Status& status, const std::string& subject = {});

// The value of `result`; throws VerbError when there is none.
template <typename T>
T expect(Result<T> result, const std::string& subject = {}) {
  require(result.status(), subject);
  return std::move(*result);
}

}  // namespace figment::host
