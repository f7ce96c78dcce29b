// Runs a case in a child process, which may crash or hang without taking the others along.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/conformance/case.h"

namespace figment::conformance {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr unsigned kMostSeconds = 120;

// In the child: runs the case and writes the outcome.
[[noreturn]] void run_and_write(const fs::path& folder, const fs::path& scratch, int pipe) {
  alarm(kMostSeconds);
  const Outcome outcome = run_case(folder, scratch);
  const std::string text = json{
      {"side", static_cast<int>(outcome.side)},
      {"reason", outcome.reason},
      {"bound", outcome.bound}}.dump(-1, ' ', false, json::error_handler_t::replace);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(pipe, text.data() + written, text.size() - written);
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  _exit(0);
}

std::string read_all(int pipe) {
  std::string text;
  char block[4096];
  for (ssize_t count = 0; (count = read(pipe, block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(count));
  return text;
}

}  // namespace

Outcome run_case_apart(const fs::path& folder) {
  Outcome outcome;
  std::string pattern = (fs::temp_directory_path() / "figment-conformance-XXXXXX").string();
  int ends[2];
  if (mkdtemp(pattern.data()) == nullptr || pipe(ends) != 0) {
    outcome.reason = "no temporary folder or pipe could be made";
    return outcome;
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    run_and_write(folder, pattern, ends[1]);
  }
  close(ends[1]);
  const std::string text = child > 0 ? read_all(ends[0]) : std::string();
  close(ends[0]);
  int status = 0;
  if (child > 0) waitpid(child, &status, 0);
  std::error_code ignored;
  fs::remove_all(pattern, ignored);

  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (answer.is_object() && WIFEXITED(status)) {
    outcome.side = static_cast<Side>(answer["side"].get<int>());
    outcome.reason = answer["reason"].get<std::string>();
    outcome.bound = answer["bound"].get<std::vector<std::string>>();
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    outcome.reason = "did not end within " + std::to_string(kMostSeconds) + " seconds";
  } else {
    outcome.reason = WIFSIGNALED(status)
                         ? "crashed with signal " + std::to_string(WTERMSIG(status))
                         : "ended with exit code " + std::to_string(WEXITSTATUS(status));
  }
  return outcome;
}

}  // namespace figment::conformance
