// Through /bin/sh, with the three streams in files.
#include "tests/host/command_line.h"

#include <sys/wait.h>

#include <cstdlib>

#include "tests/host/scratch_folder.h"

namespace figment::testing {

CommandResult run_figment(const std::string& arguments, const std::string& input) {
  const ScratchFolder folder;
  write_text(folder / "in", input);
  const std::string line = std::string(FIGMENT_COMMAND) + " " + arguments + " <'" +
                           (folder / "in") + "' >'" + (folder / "out") + "' 2>'" +
                           (folder / "err") + "'";
  const int status = std::system(line.c_str());
  CommandResult result;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.output = read_text(folder / "out");
  result.error = read_text(folder / "err");
  return result;
}

std::string source_folder() { return std::string(FIGMENT_SOURCE_DIR) + "/"; }

}  // namespace figment::testing
