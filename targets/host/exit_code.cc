// How the runtime's errors become exit codes and sentences.
#include "targets/host/exit_code.h"

namespace figment::host {

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return ExitCode::kSuccess;
    case ErrorCode::kBadFile:
      return ExitCode::kBadFile;
    case ErrorCode::kUnsupported:
      return ExitCode::kUnsupported;
    case ErrorCode::kBadArgument:
      return ExitCode::kBadArgument;
    case ErrorCode::kArenaTooSmall:
      return ExitCode::kMemory;
    case ErrorCode::kBackend:
      return ExitCode::kBackend;
  }
  return ExitCode::kBackend;
}

void require(const Status& status, const std::string& subject) {
  if (status.ok()) return;
  std::string sentence(status.message());
  if (!subject.empty()) sentence = subject + ": " + sentence;
  throw VerbError(exit_code_of(status.code), sentence);
}

}  // namespace figment::host
