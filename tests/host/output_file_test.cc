// Outputs appear whole or not at all.
#include "targets/host/output_file.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "targets/host/exit_code.h"
#include "tests/host/scratch_folder.h"

namespace figment::host {
namespace {

using testing::read_text;
using testing::ScratchFolder;

ExitCode open_code(const std::string& path) {
  try {
    const OutputFile file(path);
  } catch (const VerbError& error) {
    return error.code;
  }
  return ExitCode::kSuccess;
}

}  // namespace

TEST_CASE("a file is there once it is committed, and nothing else") {
  const ScratchFolder folder;
  const std::string path = folder / "out.txt";
  {
    OutputFile file(path);
    CHECK_FALSE(std::filesystem::exists(path));
    file.commit(std::string("whole"));
    CHECK(read_text(path) == "whole");
  }
  CHECK(folder.files() == 1);
}

TEST_CASE("without commit nothing is left, and an older file stays as it was") {
  const ScratchFolder folder;
  const std::string path = folder / "out.txt";
  { const OutputFile file(path); }
  CHECK(folder.files() == 0);
  std::ofstream(path) << "older";
  { const OutputFile file(path); }
  CHECK(read_text(path) == "older");
  CHECK(folder.files() == 1);
}

TEST_CASE("a symbolic link stays one") {
  const ScratchFolder folder;
  std::ofstream(folder / "real.txt") << "older";
  std::filesystem::create_symlink("real.txt", folder / "link.txt");
  OutputFile(folder / "link.txt").commit(std::string("new"));
  CHECK(std::filesystem::is_symlink(folder / "link.txt"));
  CHECK(read_text(folder / "real.txt") == "new");
}

TEST_CASE("a device is written in place") {
  OutputFile("/dev/null").commit(std::string("nothing"));
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("places that cannot be written are known at once") {
  const ScratchFolder folder;
  CHECK(open_code(folder / "missing/out.txt") == ExitCode::kInputOutput);
  CHECK(open_code(folder / ".") == ExitCode::kInputOutput);
  std::ofstream(folder / "file") << "x";
  CHECK(open_code(folder / "file/out.txt") == ExitCode::kInputOutput);
}

TEST_CASE("an interrupted program leaves no half-written file") {
  const ScratchFolder folder;
  const std::string path = folder / "out.txt";
  for (const int number : {SIGINT, SIGTERM}) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const OutputFile file(path);
      static_cast<void>(!::write(ready[1], "x", 1));
      for (;;) ::pause();
    }
    char letter = 0;
    REQUIRE(::read(ready[0], &letter, 1) == 1);
    CHECK(folder.files() == 1);  // the temporary one
    ::kill(child, number);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == number);
    CHECK(folder.files() == 0);
    ::close(ready[0]);
    ::close(ready[1]);
  }
}

}  // namespace figment::host
